#include "image/resize.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/empty.h>

#include <opencv2/imgproc.hpp>

namespace penstock::image {
namespace {

at::Tensor torch_pass(const at::Tensor& pixels, std::int64_t height,
                      std::int64_t width, Filter filter) {
  if (pixels.size(0) == height && pixels.size(1) == width) return pixels;
  // As [1,3,H,W] with the channels last in memory: the layout it is fast in.
  const auto planes = pixels.permute({2, 0, 1}).unsqueeze(0);
  const auto resized =
      filter == Filter::kBicubic
          ? at::_upsample_bicubic2d_aa(planes, {height, width},
                                       /*align_corners=*/false)
          : at::_upsample_bilinear2d_aa(planes, {height, width},
                                        /*align_corners=*/false);
  return resized.squeeze(0).permute({1, 2, 0}).contiguous();
}

at::Tensor resize_by_torch(const at::Tensor& pixels, std::int64_t height,
                           std::int64_t width, Filter filter) {
  at::Tensor out = pixels;
  if (is_height_first(pixels, height, width)) {
    out = torch_pass(out, height, out.size(1), filter);
  }
  return torch_pass(out, height, width, filter);
}

at::Tensor resize_by_opencv(const at::Tensor& pixels, std::int64_t height,
                            std::int64_t width, Filter filter) {
  const auto mat = [](const at::Tensor& tensor) {
    return cv::Mat(static_cast<int>(tensor.size(0)),
                   static_cast<int>(tensor.size(1)), CV_8UC3,
                   tensor.data_ptr());
  };
  auto resized = at::empty({height, width, 3}, at::kByte);
  cv::Mat to = mat(resized);
  cv::resize(mat(pixels), to, to.size(), 0, 0,
             filter == Filter::kBicubic ? cv::INTER_CUBIC : cv::INTER_LINEAR);
  return resized;
}

}  // namespace

bool is_height_first(const at::Tensor& pixels, std::int64_t height,
                     std::int64_t width) {
  const std::int64_t rows_less = pixels.size(0) - height;
  const std::int64_t columns_less = pixels.size(1) - width;
  return rows_less > 0 && rows_less > 2 * columns_less;
}

at::Tensor resize(const at::Tensor& pixels, std::int64_t height,
                  std::int64_t width, Filter filter,
                  const std::string& backend) {
  auto whole = pixels.contiguous();
  if (whole.size(0) == height && whole.size(1) == width) return whole;
  if (backend == "pillow") {
    return resize_as_pillow(whole, height, width, filter);
  }
  if (backend == "opencv") {
    return resize_by_opencv(whole, height, width, filter);
  }
  return resize_by_torch(whole, height, width, filter);
}

}  // namespace penstock::image
