// The network on a CPU, block by block and row by row: a block's widened rows
// live in a ring of a few, so that they never leave the cache. Images of a
// batch run side by side; an image alone is cut into bands of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "efficientnet/native/kernels.h"
#include "efficientnet/weights.h"

namespace penstock::efficientnet::native {

/// Floats on a cache line's boundary, so that no vector straddles two.
class Floats {
 public:
  Floats() = default;
  explicit Floats(std::int64_t count);
  [[nodiscard]] float* data() const { return data_; }

 private:
  std::vector<float> storage_;
  float* data_ = nullptr;
};

/// A 1x1 convolution in the kernels' layout, owning its numbers.
struct Projection {
  Floats weight, bias;
  Pointwise op;
};

struct Filter {
  Floats weight, bias;
  Depthwise op;
};

struct BlockPlan {
  bool has_expand = false, has_skip = false;
  Projection expand, project;
  Filter filter;
};

class Network {
 public:
  Network(const Weights& weights, Architecture architecture,
          const Kernels& kernels);

  /// f32[B,3,H,W] to logits f32[B,classes].
  [[nodiscard]] at::Tensor run(const at::Tensor& pixels) const;

 private:
  struct Image;
  class Ring;

  void run_image(const float* pixels, std::int64_t height, std::int64_t width,
                 float* features, bool is_alone) const;
  void run_stem(const float* pixels, const Image& from, const Image& to,
                bool is_alone) const;
  void run_block(const BlockPlan& block, const Image& from, const Image& to,
                 bool is_alone) const;
  void run_band(const BlockPlan& block, const Image& from, const Image& to,
                std::int64_t begin, std::int64_t end) const;
  void run_head(const Image& from, float* features) const;

  Architecture architecture_;
  const Kernels& kernels_;
  Projection stem_, head_, classifier_;
  std::vector<BlockPlan> blocks_;
  std::int64_t classes_ = 0;
};

}  // namespace penstock::efficientnet::native
