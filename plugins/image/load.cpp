#include "load.h"

#include <algorithm>

#include "penstock/media.h"

namespace penstock::image {
namespace {

Recipe recipe_of(const Load::Params& p) {
  Recipe r = preset(p.preset);
  if (p.square >= 0) r.square = p.square;
  if (p.fit != "preset") r.fit = p.fit;
  if (!p.size.empty()) r.size = p.size;
  // A preset's crop is as large as its size: a new size is a new crop.
  if (!p.size.empty() && !r.crop.empty()) r.crop = p.size;
  if (!p.crop.empty()) r.crop = p.crop;
  if (p.filter != "preset") r.filter = p.filter;
  r.backend = p.backend;
  r.channels = p.channels;
  if (p.scale >= 0) r.scale = p.scale;
  if (!p.mean.empty()) r.mean = p.mean;
  if (!p.std.empty()) r.std = p.std;
  r.pad_value = p.pad_value;
  return r;
}

std::string conflict(const Load::Params& p) {
  const Recipe r = recipe_of(p);
  if (r.fit != "none" && r.size.empty()) {
    return "fit: " + r.fit + " needs a size, such as size: [224, 224]";
  }
  if (r.size.size() > 2 || r.crop.size() > 2) {
    return "size and crop are one side or [height, width]";
  }
  if (std::find(r.std.begin(), r.std.end(), 0.0) != r.std.end()) {
    return "std: 0 would divide by zero";
  }
  for (const auto* list : {&r.mean, &r.std}) {
    if (!list->empty() && list->size() != 1 && list->size() != 3) {
      return "mean and std have one value, or one for each of 3 channels";
    }
  }
  return "";
}

void declare_shape(Declaration<Load>& d) {
  using P = Load::Params;
  d.param("preset", &P::preset,
          "the steps of a known model; what is given beside it wins")
      .choices(preset_names());
  d.param("square", &P::square,
          "first keep this share of the central square; 0: off, -1: as the "
          "preset")
      .range(-1, 1);
  d.param("fit", &P::fit,
          "stretch to size; shortest side to size; letterbox inside size; none")
      .choices({"preset", "none", "stretch", "shortest", "letterbox"});
  d.param("size", &P::size, "[height, width] in pixels, or one for both")
      .range(1, 8192);
  d.param("crop", &P::crop, "then the centre: [height, width] or one for both")
      .range(1, 8192);
  d.param("filter", &P::filter, "how pixels are interpolated")
      .choices({"preset", "bilinear", "bicubic"});
  d.param("backend", &P::backend,
          "torch_aa: fast, within 1/255 of Pillow; pillow: its bits; opencv: "
          "without antialiasing")
      .choices({"torch_aa", "pillow", "opencv"});
  d.param("pad_value", &P::pad_value, "of a letterbox's border").range(0, 255);
}

void declare_values(Declaration<Load>& d) {
  using P = Load::Params;
  d.param("channels", &P::channels, "order of the colours, or grey")
      .choices({"rgb", "bgr", "grey"});
  d.param("scale", &P::scale,
          "multiplies the bytes; -1: as the preset, or 1/255")
      .range(-1, 1e6);
  d.param("mean", &P::mean, "taken off after scaling, one or one a channel");
  d.param("std", &P::std, "divides after that, one or one a channel");
  d.param("orient", &P::orient, "turn the picture as its EXIF data asks");
  d.param("alpha", &P::alpha,
          "what is behind transparent pixels; drop: their own colour")
      .choices({"drop", "white", "black"});
  d.param("shrink", &P::shrink,
          "decode large JPEGs at 1/2, 1/4 or 1/8: faster, other pixels");
}

void declare_limits(Declaration<Load>& d) {
  using P = Load::Params;
  d.param("pan_and_scan", &P::pan_and_scan,
          "see a long picture also in parts (Gemma 3)");
  d.param("pan_and_scan_min_crop", &P::pan_and_scan_min_crop,
          "shortest side of a part in pixels")
      .range(1, 8192);
  d.param("pan_and_scan_max_crops", &P::pan_and_scan_max_crops, "parts at most")
      .range(1, 64);
  d.param("pan_and_scan_min_ratio", &P::pan_and_scan_min_ratio,
          "long side / short side from which on there are parts")
      .range(1, 1000);
  d.param("max_pixels", &P::max_pixels,
          "of a file's header; more is refused before decoding")
      .range(1, 1 << 30);
  d.param("max_bytes", &P::max_bytes, "of a file; more is refused unread")
      .range(1, 1 << 30);
}

}  // namespace

void Load::declare(Declaration<Load>& d) {
  d.doc("Picture file to pixels: decode, turn, crop, resize, normalise")
      .input("image: media{bmp,gif,jpeg,jpg,png,tif,tiff,webp}")
      .output("pixels: f32[C,H,W]");
  declare_shape(d);
  declare_values(d);
  declare_limits(d);
  d.check(conflict);
}

Load::Load(const Params& params)
    : params_(params), recipe_(recipe_of(params)) {}

void Load::open(StageContext& context) {
  if (!recipe_.crop.empty() || !recipe_.size.empty()) {
    const auto& size = recipe_.crop.empty() ? recipe_.size : recipe_.crop;
    context.facts["image_size"] = size.front();
  }
}

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

/// The whole picture, then its parts, as the model sees them.
std::vector<at::Tensor> Load::views(const at::Tensor& whole) const {
  std::vector<at::Tensor> out{normalize(reshape(whole, recipe_), recipe_)};
  if (!params_.pan_and_scan) return out;
  for (const at::Tensor& part :
       pan_and_scan(whole, {.min_crop = params_.pan_and_scan_min_crop,
                           .max_crops = params_.pan_and_scan_max_crops,
                           .min_ratio = params_.pan_and_scan_min_ratio})) {
    out.push_back(normalize(reshape(part, recipe_), recipe_));
  }
  return out;
}

void Load::preprocess(const Request& request, Sample in,
                      SampleSink& out) const {
  const Media media = media_input(request, "image");
  const auto bytes = read_media(media, params_.max_bytes);
  std::vector<at::Tensor> seen;
  try {
    const at::Tensor whole = picture(*bytes);
    in.notes["height"] = whole.size(0);
    in.notes["width"] = whole.size(1);
    seen = views(whole);
  } catch (const Error& error) {
    throw Error(error.code(), str("'", media.name, "': ", error.text()));
  }
  in.notes["path"] = media.name;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    Sample sample;
    sample.tokens = in.tokens;
    sample.notes = in.notes;
    if (seen.size() > 1) sample.notes["crop"] = static_cast<std::int64_t>(i);
    sample.inputs = in.inputs;
    sample.inputs.emplace_back("pixels", seen[i]);
    out.push(std::move(sample));
  }
}

}  // namespace penstock::image
