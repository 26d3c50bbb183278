#include "image/fit.h"

#include <utility>

#include "penstock/keys.h"

namespace penstock::image {
namespace {

Recipe thumbnail_recipe(std::int64_t side) {
  Recipe recipe;
  if (side == 0) return recipe;
  recipe.fit = "letterbox";
  recipe.size = {side};
  recipe.filter = "bilinear";
  return recipe;
}

/// Takes the picture out of the item.
at::Tensor take_picture(Item& item) {
  const at::Tensor picture = get(item.inputs, "picture");
  std::erase_if(item.inputs,
                [](const auto& input) { return input.first == "picture"; });
  if (picture.dim() != 3 || picture.size(2) != 3 ||
      picture.scalar_type() != at::kByte || picture.numel() == 0) {
    throw Error(Code::kData, "picture must be u8[H,W,3] in rgb");
  }
  return picture.contiguous();
}

}  // namespace

void Fit::declare(Declaration<Fit>& d) {
  d.doc("Decoded picture to pixels: crop, resize, normalise, as image.load")
      .input("picture: u8[H,W,3]")
      .output("pixels: f32[C,H,W]")
      .output("thumbnail: u8[N,N,3]")
      .makes(kSeen)
      .light();
  declare_recipe(d);
  d.param("thumbnail", &Params::thumbnail,
          "side in pixels of a small copy for drawings; 0: none")
      .range(0, 1024);
  d.check([](const Params& params) { return conflict(params); });
}

Fit::Fit(const Params& params)
    : recipe_(recipe_of(params)),
      thumbnail_(thumbnail_recipe(params.thumbnail)) {}

void Fit::preprocess(const Request& /*request*/, Item in, ItemSink& out) const {
  const at::Tensor picture = take_picture(in);
  Seen seen;
  in.inputs.emplace_back(
      "pixels", normalize(reshape(picture, recipe_, &seen), recipe_, memory_));
  set(in.notes, kSeen, seen.note());
  if (!thumbnail_.size.empty()) {
    in.inputs.emplace_back("thumbnail", reshape(picture, thumbnail_));
  }
  out.push(std::move(in));
}

}  // namespace penstock::image
