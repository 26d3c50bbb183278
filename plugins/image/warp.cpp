#include "image/warp.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>

namespace penstock::image {

RoomAround room_around(const at::Tensor& pixels, std::int64_t height,
                       std::int64_t width) {
  const auto across = static_cast<double>(pixels.size(1));
  const auto down = static_cast<double>(pixels.size(0));
  const double scale = std::max(across / static_cast<double>(width),
                                down / static_cast<double>(height));
  RoomAround room{.width = scale * static_cast<double>(width),
                  .height = scale * static_cast<double>(height)};
  room.left = (across - room.width) / 2;
  room.top = (down - room.height) / 2;
  return room;
}

at::Tensor warp_room(const at::Tensor& pixels, const RoomAround& room,
                     std::int64_t height, std::int64_t width,
                     std::int64_t pad_value) {
  const at::Tensor source = pixels.contiguous();
  const cv::Mat picture(static_cast<int>(source.size(0)),
                        static_cast<int>(source.size(1)), CV_8UC3,
                        source.data_ptr());
  auto out = at::empty({height, width, 3}, at::kByte);
  cv::Mat laid(static_cast<int>(height), static_cast<int>(width), CV_8UC3,
               out.data_ptr());
  const auto left = static_cast<float>(room.left);
  const auto top = static_cast<float>(room.top);
  const auto right = static_cast<float>(room.left + room.width);
  const auto bottom = static_cast<float>(room.top + room.height);
  const auto across = static_cast<float>(width);
  const auto down = static_cast<float>(height);
  const std::array<cv::Point2f, 4> from{
      {{left, bottom}, {left, top}, {right, top}, {right, bottom}}};
  const std::array<cv::Point2f, 4> to{
      {{0, down}, {0, 0}, {across, 0}, {across, down}}};
  cv::warpPerspective(picture, laid,
                      cv::getPerspectiveTransform(from.data(), to.data()),
                      laid.size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                      cv::Scalar::all(static_cast<double>(pad_value)));
  return out;
}

}  // namespace penstock::image
