// A picture laid into a model's pixels as MediaPipe lays it: sampled at the
// pixels' corners, without antialiasing, in a room that may begin between two
// pixels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace penstock::image {

/// The smallest rectangle around a picture that has the shape of the model's
/// pixels; in the picture's own, so left or top may be below 0.
struct RoomAround {
  double left = 0, top = 0, width = 0, height = 0;
};
[[nodiscard]] RoomAround room_around(const at::Tensor& pixels,
                                     std::int64_t height, std::int64_t width);

/// The room of u8[H,W,3] as u8[height,width,3]; what lies outside the picture
/// is `pad_value`.
[[nodiscard]] at::Tensor warp_room(const at::Tensor& pixels,
                                   const RoomAround& room, std::int64_t height,
                                   std::int64_t width, std::int64_t pad_value);

}  // namespace penstock::image
