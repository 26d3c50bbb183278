#include "image/recipe.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "image/warp.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

constexpr std::int64_t kMostSide = 65535;

std::int64_t height_of(const std::vector<std::int64_t>& size) {
  return size.at(0);
}
std::int64_t width_of(const std::vector<std::int64_t>& size) {
  return size.at(size.size() > 1 ? 1 : 0);
}

at::Tensor window(const at::Tensor& pixels, std::int64_t top, std::int64_t left,
                  std::int64_t height, std::int64_t width) {
  return pixels.narrow(0, top, height).narrow(1, left, width);
}

/// TensorFlow's EfficientNet evaluation crop: a margin in proportion to the
/// target's own, and the larger half of an odd rest before the square.
at::Tensor central_square(const at::Tensor& pixels, double share,
                          std::int64_t target, Seen& seen) {
  const auto size = static_cast<double>(target);
  const double margin = std::round(size * (1 / share - 1));
  const std::int64_t shortest = std::min(pixels.size(0), pixels.size(1));
  const auto side = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(size / (size + margin) *
                                   static_cast<double>(shortest)));
  seen.of = {.left = (pixels.size(1) - side + 1) / 2,
             .top = (pixels.size(0) - side + 1) / 2,
             .width = side,
             .height = side};
  return window(pixels, seen.of.top, seen.of.left, side, side);
}

/// The centre; where the picture is smaller it is laid on black.
at::Tensor center(const at::Tensor& pixels, std::int64_t height,
                  std::int64_t width, Seen& seen) {
  const std::int64_t inner_height = std::min(height, pixels.size(0));
  const std::int64_t inner_width = std::min(width, pixels.size(1));
  const std::int64_t top = (pixels.size(0) - inner_height) / 2;
  const std::int64_t left = (pixels.size(1) - inner_width) / 2;
  const std::int64_t down = (height - inner_height + 1) / 2;
  const std::int64_t right = (width - inner_width + 1) / 2;
  seen.at.top += down - top;
  seen.at.left += right - left;
  auto inner = window(pixels, top, left, inner_height, inner_width);
  if (inner_height == height && inner_width == width) return inner;
  auto out = at::full({height, width, 3}, 0, at::kByte);
  window(out, down, right, inner_height, inner_width).copy_(inner);
  return out;
}

std::int64_t in_proportion(std::int64_t side, std::int64_t to,
                           std::int64_t from) {
  const auto scaled = static_cast<std::int64_t>(static_cast<double>(to * side) /
                                                static_cast<double>(from));
  if (scaled > kMostSide) {
    throw Error(Code::kData, str("it is too thin: ", side, " pixels by ", from,
                                 " would become ", scaled, " by ", to));
  }
  return std::max<std::int64_t>(scaled, 1);
}

at::Tensor shortest_side_to(const at::Tensor& pixels, const Recipe& recipe) {
  const std::int64_t height = pixels.size(0);
  const std::int64_t width = pixels.size(1);
  const std::int64_t side = height_of(recipe.size);
  const bool is_tall = width <= height;
  return resize(pixels, is_tall ? in_proportion(height, side, width) : side,
                is_tall ? side : in_proportion(width, side, height),
                recipe.filter_kind(), recipe.backend);
}

/// PaddleOCR's: the nearest multiple, half ways to the even one, at least one.
at::Tensor at_least(const at::Tensor& pixels, const Recipe& recipe) {
  const std::int64_t shortest = std::min(pixels.size(0), pixels.size(1));
  const double ratio =
      std::max(1.0, static_cast<double>(height_of(recipe.size)) /
                        static_cast<double>(shortest));
  const auto side = [&](std::int64_t dim) {
    const double scaled =
        std::trunc(static_cast<double>(pixels.size(dim)) * ratio);
    const auto multiple = static_cast<double>(recipe.multiple);
    const double whole = std::nearbyint(scaled / multiple) * multiple;
    if (whole > static_cast<double>(kMostSide)) {
      throw Error(Code::kData, str("it is too thin: one side would become ",
                                   whole, " pixels"));
    }
    return std::max(recipe.multiple, static_cast<std::int64_t>(whole));
  };
  return resize(pixels, side(0), side(1), recipe.filter_kind(), recipe.backend);
}

/// As rapidocr has it: the width rounded up, and squeezed where it is more than
/// the size's.
at::Tensor height_to(const at::Tensor& pixels, const Recipe& recipe) {
  const std::int64_t height = height_of(recipe.size);
  double width = std::ceil(static_cast<double>(height) *
                           (static_cast<double>(pixels.size(1)) /
                            static_cast<double>(pixels.size(0))));
  if (recipe.size.size() > 1) {
    width = std::min(width, static_cast<double>(width_of(recipe.size)));
  }
  if (width > static_cast<double>(kMostSide)) {
    throw Error(Code::kData,
                str("it is too thin: ", pixels.size(1), " pixels by ",
                    pixels.size(0), " would become ", width, " by ", height));
  }
  return resize(pixels, height, std::max<std::int64_t>(1, std::llround(width)),
                recipe.filter_kind(), recipe.backend);
}

at::Tensor letterbox(const at::Tensor& pixels, const Recipe& recipe,
                     Seen& seen) {
  const std::int64_t height = height_of(recipe.size);
  const std::int64_t width = width_of(recipe.size);
  const double share = std::min(
      static_cast<double>(height) / static_cast<double>(pixels.size(0)),
      static_cast<double>(width) / static_cast<double>(pixels.size(1)));
  const auto scaled = [&](std::int64_t side, std::int64_t most) {
    return std::clamp<std::int64_t>(
        std::lround(share * static_cast<double>(side)), 1, most);
  };
  const auto inner = resize(pixels, scaled(pixels.size(0), height),
                            scaled(pixels.size(1), width), recipe.filter_kind(),
                            recipe.backend);
  auto out = at::full({height, width, 3}, recipe.pad_value, at::kByte);
  seen.at = {.left = (width - inner.size(1)) / 2,
             .top = (height - inner.size(0)) / 2,
             .width = inner.size(1),
             .height = inner.size(0)};
  window(out, seen.at.top, seen.at.left, seen.at.height, seen.at.width)
      .copy_(inner);
  return out;
}

/// MediaPipe's: it lies between pixels, so whole ones of the picture say where
/// to half of one.
at::Tensor warped_letterbox(const at::Tensor& pixels, const Recipe& recipe,
                            Seen& seen) {
  const std::int64_t height = height_of(recipe.size);
  const std::int64_t width = width_of(recipe.size);
  const RoomAround room = room_around(pixels, height, width);
  seen.of = {.left = seen.of.left + std::llround(room.left),
             .top = seen.of.top + std::llround(room.top),
             .width = std::llround(room.width),
             .height = std::llround(room.height)};
  seen.at = {.width = width, .height = height};
  return warp_room(pixels, room, height, width, recipe.pad_value);
}

/// Luma as Pillow computes it (ITU-R 601-2).
at::Tensor grey(const at::Tensor& pixels) {
  auto out = at::empty({pixels.size(0), pixels.size(1), 1}, at::kByte);
  const auto* from = pixels.const_data_ptr<std::uint8_t>();
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i, from += 3) {
    const int luma =
        from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000;
    to[i] = static_cast<std::uint8_t>(luma >> 16);
  }
  return out;
}

/// At the upper left of zeros, where it is smaller than the room.
at::Tensor in_room(const at::Tensor& pixels, const Recipe& recipe) {
  const std::int64_t multiple = recipe.multiple;
  const std::int64_t height = std::max(pixels.size(1), height_of(recipe.room));
  const std::int64_t least = std::max(pixels.size(2), width_of(recipe.room));
  const std::int64_t width = (least + multiple - 1) / multiple * multiple;
  auto out = at::zeros({pixels.size(0), height, width}, at::kFloat);
  out.narrow(1, 0, pixels.size(1)).narrow(2, 0, pixels.size(2)).copy_(pixels);
  return out;
}

double value_of(const std::vector<double>& values, std::size_t channel,
                double fallback) {
  if (values.empty()) return fallback;
  return values.at(std::min(channel, values.size() - 1));
}

}  // namespace

std::vector<std::int64_t> Seen::note() const {
  return {of.left, of.top, of.width, of.height,
          at.left, at.top, at.width, at.height};
}

at::Tensor reshape(const at::Tensor& pixels, const Recipe& recipe, Seen* seen) {
  at::Tensor out = pixels;
  Seen made;
  made.of = {.width = pixels.size(1), .height = pixels.size(0)};
  if (recipe.square > 0) {
    const std::int64_t target = recipe.size.empty()
                                    ? std::min(out.size(0), out.size(1))
                                    : height_of(recipe.size);
    out = central_square(out, recipe.square, target, made);
  }
  if (recipe.fit == "stretch") {
    out = resize(out, height_of(recipe.size), width_of(recipe.size),
                 recipe.filter_kind(), recipe.backend);
  } else if (recipe.fit == "shortest") {
    out = shortest_side_to(out, recipe);
  } else if (recipe.fit == "least") {
    out = at_least(out, recipe);
  } else if (recipe.fit == "height") {
    out = height_to(out, recipe);
  }
  made.at = {.width = out.size(1), .height = out.size(0)};
  if (recipe.fit == "letterbox") {
    out = recipe.backend == "mediapipe" ? warped_letterbox(out, recipe, made)
                                        : letterbox(out, recipe, made);
  }
  if (!recipe.crop.empty()) {
    out = center(out, height_of(recipe.crop), width_of(recipe.crop), made);
  }
  if (seen != nullptr) *seen = made;
  return out.contiguous();
}

at::Tensor normalize(const at::Tensor& pixels, const Recipe& recipe,
                     const KeptMemory& memory) {
  const at::Tensor from = recipe.channels == "grey" ? grey(pixels) : pixels;
  const std::int64_t height = from.size(0);
  const std::int64_t width = from.size(1);
  const std::int64_t channels = from.size(2);
  at::Tensor out = memory.empty({channels, height, width}, at::kFloat);
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    const auto mean = static_cast<float>(value_of(recipe.mean, channel, 0));
    const auto std = static_cast<float>(value_of(recipe.std, channel, 1));
    std::array<float, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto scaled =
          static_cast<float>(static_cast<double>(i) * recipe.scale);
      table.at(i) = (scaled - mean) / std;
    }
    const bool is_swapped = recipe.channels == "bgr";
    const auto* at = from.const_data_ptr<std::uint8_t>() +
                     (is_swapped ? channels - 1 - c : c);
    auto* to = out.mutable_data_ptr<float>() + c * height * width;
    for (std::int64_t i = 0; i < height * width; ++i) {
      to[i] = table[at[i * channels]];
    }
  }
  return recipe.room.empty() ? out : in_room(out, recipe);
}

std::vector<PictureView> pan_and_scan(const at::Tensor& pixels,
                                      const PanAndScan& rule) {
  const std::int64_t height = pixels.size(0);
  const std::int64_t width = pixels.size(1);
  const std::int64_t longest = std::max(height, width);
  const std::int64_t shortest = std::min(height, width);
  const double ratio =
      static_cast<double>(longest) / static_cast<double>(shortest);
  if (ratio < rule.min_ratio) return {};
  const std::int64_t fitting =
      std::min(longest / rule.min_crop,
               static_cast<std::int64_t>(std::floor(ratio + 0.5)));
  const std::int64_t count =
      std::min(rule.max_crops, std::max<std::int64_t>(2, fitting));
  const std::int64_t side = (longest + count - 1) / count;
  if (std::min(side, shortest) < rule.min_crop) return {};
  std::vector<PictureView> crops;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = i * side;
    const std::int64_t length = std::min(side, longest - from);
    if (length <= 0) break;
    const bool is_wide = width >= height;
    crops.push_back(
        {.pixels = pixels.narrow(is_wide ? 1 : 0, from, length).contiguous(),
         .left = is_wide ? from : 0,
         .top = is_wide ? 0 : from});
  }
  return crops;
}

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {
      "none", "imagenet", "efficientnet_lite", "siglip", "clip",
      "vit",  "gemma3"};
  return names;
}

Recipe preset(const std::string& name) {
  const std::vector<double> half = {0.5, 0.5, 0.5};
  Recipe r;
  if (name == "imagenet") {  // torchvision's
    r.fit = "shortest";
    r.size = {256};
    r.crop = {224};
    r.filter = "bilinear";
    r.mean = {0.485, 0.456, 0.406};
    r.std = {0.229, 0.224, 0.225};
  } else if (name == "efficientnet_lite") {
    r.square = 0.875;
    r.fit = "stretch";
    r.size = {224};
    r.scale = 1;
    r.mean = {127};
    r.std = {128};
  } else if (name == "siglip" || name == "vit") {
    r.fit = "stretch";
    r.size = {224};
    r.filter = name == "vit" ? "bilinear" : "bicubic";
    r.mean = half;
    r.std = half;
  } else if (name == "clip") {
    r.fit = "shortest";
    r.size = {224};
    r.crop = {224};
    r.mean = {0.48145466, 0.4578275, 0.40821073};
    r.std = {0.26862954, 0.26130258, 0.27577711};
  } else if (name == "gemma3") {
    r.fit = "stretch";
    r.size = {896};
    r.filter = "bilinear";
    r.mean = half;
    r.std = half;
  }
  return r;
}

}  // namespace penstock::image
