#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/resize.h"

namespace penstock::image {
namespace {

constexpr int kBits = 22;  // of a weight: 32 - 8 for a pixel - 2 to overshoot

double bilinear(double x) {
  x = std::abs(x);
  return x < 1 ? 1 - x : 0;
}

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

/// Towards zero, as C casts.
std::int64_t truncated(double x) { return static_cast<std::int64_t>(x); }

/// Of each output pixel along one side: which inputs, with which weights.
struct Taps {
  std::int64_t most = 0;            ///< weights kept for an output pixel
  std::vector<std::int64_t> first;  ///< its first input
  std::vector<std::int64_t> count;  ///< how many
  std::vector<std::int32_t> weights;
};

Taps make_taps(std::int64_t in, std::int64_t out, Filter filter) {
  const bool is_cubic = filter == Filter::kBicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // wider when it shrinks
  const double support = (is_cubic ? 2.0 : 1.0) * stretch;
  Taps taps;
  taps.most = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(out * taps.most));
  std::vector<double> exact(static_cast<std::size_t>(taps.most));
  for (std::int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first =
        std::max<std::int64_t>(0, truncated(center - support + 0.5));
    const auto end =
        std::min<std::int64_t>(in, truncated(center + support + 0.5));
    double sum = 0;
    for (std::int64_t k = first; k < end; ++k) {
      const double at =
          (static_cast<double>(k) - center + 0.5) * (1.0 / stretch);
      const double weight = is_cubic ? bicubic(at) : bilinear(at);
      exact[static_cast<std::size_t>(k - first)] = weight;
      sum += weight;
    }
    taps.first.push_back(first);
    taps.count.push_back(end - first);
    for (std::int64_t k = 0; k < end - first; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0) weight /= sum;
      const double fixed = weight * (1 << kBits);
      taps.weights[static_cast<std::size_t>(i * taps.most + k)] =
          static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
  }
  return taps;
}

std::uint8_t clipped(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
}

at::Tensor along_rows(const at::Tensor& in, std::int64_t width, Filter filter) {
  const Taps taps = make_taps(in.size(1), width, filter);
  auto out = at::empty({in.size(0), width, 3}, at::kByte);
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  const auto* row = in.const_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < in.size(0); ++y, row += in.size(1) * 3) {
    const std::int32_t* weights = taps.weights.data();
    for (std::size_t x = 0; x < taps.first.size();
         ++x, to += 3, weights += taps.most) {
      const std::uint8_t* from = row + taps.first[x] * 3;
      std::int32_t r = 1 << (kBits - 1);
      std::int32_t g = r;
      std::int32_t b = r;
      for (std::int64_t k = 0; k < taps.count[x]; ++k, from += 3) {
        r += from[0] * weights[k];
        g += from[1] * weights[k];
        b += from[2] * weights[k];
      }
      to[0] = clipped(r);
      to[1] = clipped(g);
      to[2] = clipped(b);
    }
  }
  return out;
}

at::Tensor along_columns(const at::Tensor& in, std::int64_t height,
                         Filter filter) {
  const Taps taps = make_taps(in.size(0), height, filter);
  auto out = at::empty({height, in.size(1), 3}, at::kByte);
  const std::int64_t stride = in.size(1) * 3;
  std::vector<std::int32_t> sums(static_cast<std::size_t>(stride));
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y, to += stride) {
    // A whole row at a time, so that the compiler can vectorise it.
    std::fill(sums.begin(), sums.end(), 1 << (kBits - 1));
    const auto at = static_cast<std::size_t>(y);
    for (std::int64_t k = 0; k < taps.count[at]; ++k) {
      const std::int32_t weight =
          taps.weights[static_cast<std::size_t>(y * taps.most + k)];
      const auto* from =
          in.const_data_ptr<std::uint8_t>() + (taps.first[at] + k) * stride;
      for (std::int64_t x = 0; x < stride; ++x) {
        sums[static_cast<std::size_t>(x)] += from[x] * weight;
      }
    }
    for (std::int64_t x = 0; x < stride; ++x) {
      to[x] = clipped(sums[static_cast<std::size_t>(x)]);
    }
  }
  return out;
}

}  // namespace

at::Tensor resize_as_pillow(const at::Tensor& pixels, std::int64_t height,
                            std::int64_t width, Filter filter) {
  at::Tensor out = pixels.contiguous();
  if (is_height_first(out, height, width)) {
    out = along_columns(out, height, filter);
  }
  if (out.size(1) != width) out = along_rows(out, width, filter);
  if (out.size(0) != height) out = along_columns(out, height, filter);
  return out;
}

}  // namespace penstock::image
