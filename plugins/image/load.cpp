#include "image/load.h"

#include <algorithm>
#include <memory>

#include "image/given.h"
#include "penstock/keys.h"
#include "penstock/media.h"

namespace penstock::image {
namespace {

void declare_decoding(Declaration<Load>& d) {
  using P = Load::Params;
  d.param("orient", &P::orient, "rotate the picture as its EXIF data asks");
  d.param("alpha", &P::alpha,
          "background behind transparent pixels; drop: ignore transparency")
      .choices({"drop", "white", "black"});
  d.param("shrink", &P::shrink,
          "decode large JPEGs at 1/2, 1/4 or 1/8 of their size: faster, but "
          "other pixels");
}

void declare_limits(Declaration<Load>& d) {
  using P = Load::Params;
  d.param("pan_and_scan", &P::pan_and_scan,
          "also give crops of a long picture as items of their own (Gemma 3)");
  d.param("pan_and_scan_min_crop", &P::pan_and_scan_min_crop,
          "shortest side of such a crop in pixels")
      .range(1, 8192);
  d.param("pan_and_scan_max_crops", &P::pan_and_scan_max_crops,
          "most crops of one picture")
      .range(1, 64);
  d.param("pan_and_scan_min_ratio", &P::pan_and_scan_min_ratio,
          "ratio of long to short side from which crops are made")
      .range(1, 1000);
  d.param("max_pixels", &P::max_pixels,
          "most pixels that a file's header may claim; more is refused before "
          "decoding")
      .range(1, 1 << 30);
  d.param("max_bytes", &P::max_bytes,
          "largest file in bytes; a larger one is refused unread")
      .range(1, 1 << 30);
}

}  // namespace

void Load::declare(Declaration<Load>& d) {
  d.doc("Picture file to pixels: decode, turn, crop, resize, normalise")
      .input("image: media{bmp,gif,jpeg,jpg,png,tif,tiff,webp}")
      .output("pixels: f32[C,H,W]")
      .makes(kPath, kWidth, kHeight, kCrop, kSeen)
      .light();
  declare_recipe(d);
  declare_decoding(d);
  declare_limits(d);
  d.check([](const Params& params) { return conflict(params); });
}

Load::Load(const Params& params)
    : params_(params), recipe_(recipe_of(params)) {}

at::Tensor Load::picture(const std::string& bytes) const {
  DecodeOptions options{.max_pixels = params_.max_pixels};
  if (params_.shrink && !recipe_.size.empty()) {
    // Twice the target: what is left for the resize is still antialiased.
    options.shrink_to =
        2 * *std::max_element(recipe_.size.begin(), recipe_.size.end());
  }
  const Picture decoded = decode(bytes, options);
  const auto opaque = without_alpha(decoded.pixels, params_.alpha);
  return params_.orient ? upright(opaque, decoded.orientation) : opaque;
}

Load::View Load::view(const PictureView& part) const {
  View out;
  out.pixels =
      normalize(reshape(part.pixels, recipe_, &out.seen), recipe_, memory_);
  out.seen.of.left += part.left;
  out.seen.of.top += part.top;
  return out;
}

/// The whole picture, then its parts, as the model sees them.
std::vector<Load::View> Load::views(const at::Tensor& whole) const {
  std::vector<View> out{view({.pixels = whole})};
  if (!params_.pan_and_scan) return out;
  for (const PictureView& part :
       pan_and_scan(whole, {.min_crop = params_.pan_and_scan_min_crop,
                           .max_crops = params_.pan_and_scan_max_crops,
                           .min_ratio = params_.pan_and_scan_min_ratio})) {
    out.push_back(view(part));
  }
  return out;
}

void Load::preprocess(const Request& request, Item in, ItemSink& out) const {
  Media media;
  media.name = "image";
  const auto given = given_pixels(request, "image", params_.max_pixels);
  std::shared_ptr<const std::string> bytes;
  if (!given) {
    media = media_input(request, "image");
    bytes = read_media(media, params_.max_bytes);
  }
  std::vector<View> seen;
  try {
    const at::Tensor whole =
        given ? without_alpha(*given, params_.alpha) : picture(*bytes);
    set(in.notes, kHeight, whole.size(0));
    set(in.notes, kWidth, whole.size(1));
    seen = views(whole);
  } catch (const Error& error) {
    throw Error(error.code(), str("'", media.name, "': ", error.text()));
  }
  set(in.notes, kPath, media.name);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    Item item;
    item.tokens = in.tokens;
    item.notes = in.notes;
    if (seen.size() > 1) {
      set(item.notes, kCrop, static_cast<std::int64_t>(i));
    }
    item.inputs = in.inputs;
    set(item.notes, kSeen, seen[i].seen.note());
    item.inputs.emplace_back("pixels", seen[i].pixels);
    out.push(std::move(item));
  }
}

}  // namespace penstock::image
