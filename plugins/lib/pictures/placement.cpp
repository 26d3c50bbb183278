#include "lib/pictures/placement.h"

#include <algorithm>

#include "penstock/error.h"
#include "penstock/keys.h"

namespace penstock::pictures {
namespace {

/// left, top, width, height of the part, then of where it lies.
constexpr std::size_t kNumbers = 8;

double back(double at, std::int64_t to, std::int64_t to_size, std::int64_t from,
            std::int64_t from_size) {
  return static_cast<double>(from) + (at - static_cast<double>(to)) *
                                         static_cast<double>(from_size) /
                                         static_cast<double>(to_size);
}

float within(double place, std::int64_t most) {
  return static_cast<float>(std::clamp(place, 0.0, static_cast<double>(most)));
}

}  // namespace

std::optional<Placement> Placement::of(const Notes& notes) {
  const Tokens* seen = find(notes, kSeen);
  const std::int64_t* width = find(notes, kWidth);
  const std::int64_t* height = find(notes, kHeight);
  if (seen == nullptr || width == nullptr || height == nullptr) return {};
  const bool is_whole = seen->size() == kNumbers && (*seen)[2] > 0 &&
                        (*seen)[3] > 0 && (*seen)[6] > 0 && (*seen)[7] > 0;
  if (!is_whole) {
    throw Error(Code::kInternal,
                "the note 'seen' is not two rectangles of left, top, width and "
                "height");
  }
  Placement out;
  out.seen_ = *seen;
  out.width_ = *width;
  out.height_ = *height;
  return out;
}

double Placement::x(double in_pixels) const {
  return back(in_pixels, seen_[4], seen_[6], seen_[0], seen_[2]);
}

double Placement::y(double in_pixels) const {
  return back(in_pixels, seen_[5], seen_[7], seen_[1], seen_[3]);
}

double Placement::pixel_x(double in_picture) const {
  return back(in_picture, seen_[0], seen_[2], seen_[4], seen_[6]);
}

double Placement::pixel_y(double in_picture) const {
  return back(in_picture, seen_[1], seen_[3], seen_[5], seen_[7]);
}

Box Placement::in_picture(const Box& in_pixels) const {
  return {.left = within(x(in_pixels.left), width_),
          .top = within(y(in_pixels.top), height_),
          .right = within(x(in_pixels.right), width_),
          .bottom = within(y(in_pixels.bottom), height_)};
}

}  // namespace penstock::pictures
