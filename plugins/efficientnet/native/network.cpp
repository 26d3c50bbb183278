#include "efficientnet/native/network.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <utility>

#include "penstock/parallel.h"

namespace penstock::efficientnet::native {
namespace {

constexpr std::int64_t kLine = 64 / sizeof(float);
constexpr std::int64_t kMostKernel = 7;
/// Pixels that are widened, and projected, at once: full blocks for the
/// kernels, little enough for the cache.
constexpr std::int64_t kPixels = 56;

Projection make_projection(const at::Tensor& weight, const at::Tensor& bias,
                           std::int64_t in_padded, bool is_clamped) {
  const std::int64_t out = weight.size(0);
  const std::int64_t in = weight.numel() / out;
  Projection made;
  made.op.in = in_padded;
  made.op.out = padded(out);
  made.op.is_clamped = is_clamped;
  made.weight = Floats(made.op.out * in_padded);
  made.bias = Floats(made.op.out);
  const auto from = weight.contiguous();
  for (std::int64_t o = 0; o < out; ++o) {
    float* panel = made.weight.data() + o / kPanel * kPanel * in_padded;
    for (std::int64_t i = 0; i < in; ++i) {
      panel[i * kPanel + o % kPanel] = from.const_data_ptr<float>()[o * in + i];
    }
    made.bias.data()[o] = bias.const_data_ptr<float>()[o];
  }
  made.op.weight = made.weight.data();
  made.op.bias = made.bias.data();
  return made;
}

Projection make_projection(const Convolution& conv) {
  return make_projection(conv.weight, conv.bias, padded(conv.weight.size(1)),
                         conv.is_clamped);
}

Filter make_filter(const Convolution& conv) {
  const std::int64_t channels = conv.weight.size(0);
  const std::int64_t size = conv.kernel() * conv.kernel();
  Filter made;
  made.op = {.weight = nullptr,
             .bias = nullptr,
             .kernel = conv.kernel(),
             .stride = conv.stride,
             .channels = padded(channels)};
  made.weight = Floats(size * made.op.channels);
  made.bias = Floats(made.op.channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < size; ++i) {
      made.weight.data()[i * made.op.channels + c] =
          conv.weight.const_data_ptr<float>()[c * size + i];
    }
    made.bias.data()[c] = conv.bias.const_data_ptr<float>()[c];
  }
  made.op.weight = made.weight.data();
  made.op.bias = made.bias.data();
  return made;
}

std::int64_t outs(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                  const Padding& pad) {
  return (size + pad.before + pad.after - kernel) / stride + 1;
}

/// Memory of the calling thread, kept from call to call.
float* scratch(std::size_t which, std::int64_t count) {
  thread_local std::array<Floats, 4> kept;
  thread_local std::array<std::int64_t, 4> sizes{};
  if (sizes.at(which) < count) {
    kept.at(which) = Floats(count);
    sizes.at(which) = count;
  }
  return kept.at(which).data();
}

}  // namespace

Floats::Floats(std::int64_t count)
    : storage_(static_cast<std::size_t>(count + kLine), 0.0F) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  constexpr std::uintptr_t kBytes = 64;
  data_ =
      storage_.data() + (kBytes - address % kBytes) % kBytes / sizeof(float);
}

struct Network::Image {
  std::int64_t height = 0, width = 0, channels = 0;  ///< channels: padded
  float* data = nullptr;
  [[nodiscard]] std::int64_t row() const { return width * channels; }
  [[nodiscard]] std::int64_t size() const { return height * row(); }
  [[nodiscard]] Place from_row(std::int64_t y) const {
    return {.data = data + y * row(),
            .width = width,
            .row = row(),
            .pixel = channels};
  }
};

Network::Network(const Weights& weights, Architecture architecture,
                 const Kernels& kernels)
    : architecture_(std::move(architecture)),
      kernels_(kernels),
      classes_(weights.classifier.size(0)) {
  stem_ =
      make_projection(weights.stem.weight, weights.stem.bias,
                      weights.stem.weight.numel() / weights.stem.weight.size(0),
                      /*is_clamped=*/true);
  for (const BlockWeights& block : weights.blocks) {
    BlockPlan& plan = blocks_.emplace_back();
    plan.has_expand = block.expand.has_value();
    plan.has_skip = block.has_skip;
    if (block.expand) plan.expand = make_projection(*block.expand);
    plan.filter = make_filter(block.depthwise);
    plan.project = make_projection(block.project);
  }
  head_ = make_projection(weights.head);
  classifier_ = make_projection(weights.classifier, weights.bias,
                                padded(weights.classifier.size(1)),
                                /*is_clamped=*/false);
}

at::Tensor Network::run(const at::Tensor& pixels) const {
  const auto whole = pixels.contiguous();
  const std::int64_t count = whole.size(0);
  const std::int64_t height = whole.size(2);
  const std::int64_t width = whole.size(3);
  const std::int64_t channels = head_.op.out;
  const Floats features(count * channels);
  const auto run_one = [&](std::int64_t i, bool is_alone) {
    run_image(whole.const_data_ptr<float>() + i * 3 * height * width, height,
              width, features.data() + i * channels, is_alone);
  };
  if (count >= threads()) {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_one(i, false);
    });
  } else {
    for (std::int64_t i = 0; i < count; ++i) run_one(i, true);
  }
  const std::int64_t out = classifier_.op.out;
  const auto logits = at::empty({count, out}, at::kFloat);
  kernels_.pointwise(classifier_.op, features.data(), channels, count,
                     {.data = logits.mutable_data_ptr<float>(),
                      .width = count,
                      .row = count * out,
                      .pixel = out},
                     nullptr);
  return logits.narrow(1, 0, classes_).contiguous();
}

void Network::run_image(const float* pixels, std::int64_t height,
                        std::int64_t width, float* features,
                        bool is_alone) const {
  const Image input{
      .height = height, .width = width, .channels = 3, .data = nullptr};
  const auto next = [&](const Image& from, std::int64_t kernel,
                        std::int64_t stride, std::int64_t channels) {
    Image to;
    to.height = outs(from.height, kernel, stride,
                     padding(architecture_, from.height, kernel, stride));
    to.width = outs(from.width, kernel, stride,
                    padding(architecture_, from.width, kernel, stride));
    to.channels = channels;
    return to;
  };
  Image from = next(input, 3, 2, stem_.op.out);
  from.data = scratch(0, from.size());
  run_stem(pixels, input, from, is_alone);
  std::size_t other = 1;
  for (const BlockPlan& block : blocks_) {
    const Depthwise& op = block.filter.op;
    Image to = next(from, op.kernel, op.stride, block.project.op.out);
    to.data = scratch(other, to.size());
    run_block(block, from, to, is_alone);
    from = to;
    other = 1 - other;
  }
  run_head(from, features);
}

void Network::run_stem(const float* pixels, const Image& from, const Image& to,
                       bool is_alone) const {
  constexpr std::int64_t kKernel = 3;
  constexpr std::int64_t kStride = 2;
  constexpr std::int64_t kTaps = 3 * kKernel * kKernel;
  const auto rows = padding(architecture_, from.height, kKernel, kStride);
  const auto columns = padding(architecture_, from.width, kKernel, kStride);
  const auto band = [&](std::int64_t begin, std::int64_t end) {
    float* taps = scratch(2, to.width * kTaps);
    for (std::int64_t y = begin; y < end; ++y) {
      float* at = taps;
      for (std::int64_t x = 0; x < to.width; ++x) {
        for (std::int64_t c = 0; c < 3; ++c) {
          for (std::int64_t ky = 0; ky < kKernel; ++ky) {
            const std::int64_t row = y * kStride - rows.before + ky;
            for (std::int64_t kx = 0; kx < kKernel; ++kx) {
              const std::int64_t column = x * kStride - columns.before + kx;
              const bool is_inside = row >= 0 && row < from.height &&
                                     column >= 0 && column < from.width;
              *at++ =
                  is_inside
                      ? pixels[(c * from.height + row) * from.width + column]
                      : 0;
            }
          }
        }
      }
      kernels_.pointwise(stem_.op, taps, kTaps, to.width, to.from_row(y),
                         nullptr);
    }
  };
  if (is_alone) {
    parallel_for(to.height, 8, band);
  } else {
    band(0, to.height);
  }
}

void Network::run_block(const BlockPlan& block, const Image& from,
                        const Image& to, bool is_alone) const {
  if (!is_alone) return run_band(block, from, to, 0, to.height);
  // Rows between two bands are widened twice, so bands should be few.
  const std::int64_t grain =
      std::max<std::int64_t>(2, (to.height + threads() - 1) / threads());
  parallel_for(to.height, grain, [&](std::int64_t begin, std::int64_t end) {
    run_band(block, from, to, begin, end);
  });
}

/// The widened rows that a block's filter reads, in a ring. They are computed a
/// chunk at a time; the ring holds every chunk that the filter touches at once.
class Network::Ring {
 public:
  Ring(const Kernels& kernels, const BlockPlan& block, const Image& from,
       const Padding& columns)
      : kernels_(kernels),
        block_(block),
        from_(from),
        before_(columns.before),
        pixel_(block.filter.op.channels),
        wide_((from.width + columns.before + columns.after) * pixel_),
        chunk_(std::clamp<std::int64_t>(kPixels / from.width, 1, from.height)),
        size_(((block.filter.op.kernel - 1 + chunk_ - 1) / chunk_ + 1) *
              chunk_),
        rows_(scratch(2, (size_ + 1) * wide_)) {
    std::fill(rows_, rows_ + (size_ + 1) * wide_, 0.0F);
  }

  /// The first row that will be read; those before it are never computed.
  void start(std::int64_t y) { filled_ = y / chunk_; }
  /// Computes rows until row `last` is there.
  void fill(std::int64_t last) {
    while (filled_ * chunk_ <= last) fill_chunk(filled_++);
  }
  /// Row y, which is 0 outside the image.
  [[nodiscard]] const float* row(std::int64_t y) const {
    return y < 0 || y >= from_.height ? rows_ + size_ * wide_ : place(y);
  }

 private:
  [[nodiscard]] float* place(std::int64_t y) const {
    return rows_ + y % size_ * wide_;
  }
  void fill_chunk(std::int64_t index) {
    const std::int64_t first = index * chunk_;
    const std::int64_t count = std::min(chunk_, from_.height - first);
    float* to_row = place(first) + before_ * pixel_;
    const float* at = from_.data + first * from_.row();
    if (block_.has_expand) {
      kernels_.pointwise(
          block_.expand.op, at, from_.channels, count * from_.width,
          {.data = to_row, .width = from_.width, .row = wide_, .pixel = pixel_},
          nullptr);
      return;
    }
    for (std::int64_t y = 0; y < count; ++y) {
      std::copy(at + y * from_.row(), at + (y + 1) * from_.row(),
                to_row + y * wide_);
    }
  }

  const Kernels& kernels_;
  const BlockPlan& block_;
  const Image& from_;
  std::int64_t before_, pixel_, wide_, chunk_, size_;
  float* rows_;
  std::int64_t filled_ = 0;
};

/// Computes rows [begin, end) of a block's output.
void Network::run_band(const BlockPlan& block, const Image& from,
                       const Image& to, std::int64_t begin,
                       std::int64_t end) const {
  const Depthwise& op = block.filter.op;
  const auto rows = padding(architecture_, from.height, op.kernel, op.stride);
  const auto columns = padding(architecture_, from.width, op.kernel, op.stride);
  Ring ring(kernels_, block, from, columns);
  const std::int64_t batch =
      std::clamp<std::int64_t>(kPixels / to.width, 1, end - begin);
  float* filtered = scratch(3, batch * to.width * op.channels);
  ring.start(std::max<std::int64_t>(0, begin * op.stride - rows.before));
  std::int64_t waiting = 0;
  for (std::int64_t y = begin; y < end; ++y) {
    const std::int64_t top = y * op.stride - rows.before;
    ring.fill(std::min(top + op.kernel, from.height) - 1);
    std::array<const float*, kMostKernel> inputs{};
    for (std::int64_t ky = 0; ky < op.kernel; ++ky) {
      inputs.at(static_cast<std::size_t>(ky)) = ring.row(top + ky);
    }
    kernels_.depthwise(op, inputs.data(),
                       filtered + waiting * to.width * op.channels, to.width);
    if (++waiting < batch && y + 1 < end) continue;
    const std::int64_t first = y + 1 - waiting;
    kernels_.pointwise(
        block.project.op, filtered, op.channels, waiting * to.width,
        to.from_row(first),
        block.has_skip ? from.data + first * from.row() : nullptr);
    waiting = 0;
  }
}

/// Mean over all pixels of the last convolution.
void Network::run_head(const Image& from, float* features) const {
  const std::int64_t pixels = from.height * from.width;
  const std::int64_t channels = head_.op.out;
  float* wide = scratch(2, std::min(pixels, kPixels) * channels);
  std::fill(features, features + channels, 0.0F);
  for (std::int64_t p = 0; p < pixels; p += kPixels) {
    const std::int64_t count = std::min(kPixels, pixels - p);
    kernels_.pointwise(
        head_.op, from.data + p * from.channels, from.channels, count,
        {.data = wide, .width = count, .row = 0, .pixel = channels}, nullptr);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t c = 0; c < channels; ++c) {
        features[c] += wide[i * channels + c];
      }
    }
  }
  const float share = 1.0F / static_cast<float>(pixels);
  for (std::int64_t c = 0; c < channels; ++c) features[c] *= share;
}

}  // namespace penstock::efficientnet::native
