// What a pipeline file says of a Recipe: the params that every stage has which
// makes a model's pixels out of a picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/recipe.h"
#include "penstock/stage.h"

namespace penstock::image {

/// A list that is empty, a text that is "preset" and a number below 0 leave
/// what the preset says.
struct RecipeParams {
  std::string preset = "none";
  double square = -1;
  std::string fit = "preset";
  std::vector<std::int64_t> size;
  std::vector<std::int64_t> crop;
  std::string filter = "preset";
  std::string backend = "torch_aa";
  std::string channels = "rgb";
  double scale = -1;
  std::vector<double> mean;
  std::vector<double> std;
  std::int64_t pad_value = 0;
  std::int64_t multiple = 1;
  std::vector<std::int64_t> room;
};

[[nodiscard]] Recipe recipe_of(const RecipeParams& params);
/// What does not go together, or "".
[[nodiscard]] std::string conflict(const RecipeParams& params);

/// `member` as one of P, which a Declaration wants.
template <class P, class M>
[[nodiscard]] M P::*in(M RecipeParams::*member) {
  return member;
}

// lint: long, a table of params
/// Adds the params to a stage whose Params are RecipeParams and more.
template <class T>
void declare_recipe(Declaration<T>& d) {
  using P = typename T::Params;
  using R = RecipeParams;
  d.param("preset", in<P>(&R::preset),
          "preprocessing of a known model; params given beside it win")
      .choices(preset_names());
  d.param("square", in<P>(&R::square),
          "first crop the central square to this share of the shorter side; 0: "
          "off, -1: as the preset")
      .range(-1, 1);
  d.param("fit", in<P>(&R::fit),
          "how the picture becomes size: stretch, shortest side, letterbox, "
          "least (the shorter side, where it is less), height (the width in "
          "proportion, at most size's where it has two numbers), or none")
      .choices({"preset", "none", "stretch", "shortest", "letterbox", "least",
                "height"});
  d.param("size", in<P>(&R::size),
          "[height, width] in pixels, or one number for both")
      .range(1, 8192);
  d.param("crop", in<P>(&R::crop),
          "then keep the centre: [height, width] in pixels, or one number for "
          "both")
      .range(1, 8192);
  d.param("filter", in<P>(&R::filter), "interpolation between pixels")
      .choices({"preset", "bilinear", "bicubic"});
  d.param("backend", in<P>(&R::backend),
          "who resizes: torch_aa is fast and within 1/255 of Pillow, pillow "
          "gives Pillow's bits, opencv has no antialiasing, mediapipe neither: "
          "bilinear, a letterbox that may lie between pixels")
      .choices({"torch_aa", "pillow", "opencv", "mediapipe"});
  d.param("pad_value", in<P>(&R::pad_value),
          "grey level of a letterbox's border")
      .range(0, 255);
  d.param("multiple", in<P>(&R::multiple),
          "of fit: least, both sides become a multiple of so many pixels, of "
          "room the width does")
      .range(1, 1024);
  d.param("room", in<P>(&R::room),
          "[height, width] in pixels: smaller pictures lie, normalised, at the "
          "upper left of zeros; none: no such room")
      .range(1, 8192);
  d.param("channels", in<P>(&R::channels),
          "order of the colour channels, or grey")
      .choices({"rgb", "bgr", "grey"});
  d.param("scale", in<P>(&R::scale),
          "factor for each byte; -1: as the preset, or 1/255")
      .range(-1, 1e6);
  d.param("mean", in<P>(&R::mean),
          "subtracted after scaling: one number, or one per channel");
  d.param("std", in<P>(&R::std),
          "divisor after that: one number, or one per channel");
}

}  // namespace penstock::image
