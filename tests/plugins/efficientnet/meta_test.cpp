// The network in ATen operations for every variant, on libtorch's `meta`
// device: shapes and dtypes, without weights. What passes here reads no number
// back and leaves no tensor on the CPU; see tests/plugins/meta_ops.cpp.
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "efficientnet/forward.h"
#include "efficientnet/reference.h"

namespace penstock::efficientnet {
namespace {

at::Tensor of_shape(const std::vector<std::int64_t>& sizes) {
  return at::empty(sizes, at::TensorOptions(at::kMeta));
}

Convolution convolution(std::int64_t out, std::int64_t in, std::int64_t kernel,
                        std::int64_t stride = 1, std::int64_t groups = 1) {
  Convolution made;
  made.weight = of_shape({out, in / groups, kernel, kernel});
  made.bias = of_shape({out});
  made.stride = stride;
  made.groups = groups;
  return made;
}

constexpr std::int64_t kClasses = 1000;

Weights weights_of(const Architecture& shape) {
  Weights out;
  out.stem = convolution(shape.stem, 3, 3, /*stride=*/2);
  for (const Block& block : shape.blocks) {
    BlockWeights& made = out.blocks.emplace_back();
    if (block.expand > 1) made.expand = convolution(block.wide(), block.in, 1);
    made.depthwise = convolution(block.wide(), block.wide(), block.kernel,
                                 block.stride, block.wide());
    made.project = convolution(block.out, block.wide(), 1);
    made.has_skip = block.has_skip();
  }
  out.head = convolution(shape.head, shape.blocks.back().out, 1);
  out.classifier = of_shape({kClasses, shape.head});
  out.bias = of_shape({kClasses});
  return out;
}

TEST(OnMeta, EveryVariantGivesLogitsOfEveryBatch) {
  for (const std::string& variant : variants()) {
    for (const bool is_same : {true, false}) {
      Architecture shape = architecture(variant);
      shape.is_same_padding = is_same;
      const Reference network(weights_of(shape), shape, at::kMeta);
      for (const std::int64_t batch : {1, 3, 32}) {
        // From the CPU, as Batch makes it.
        const auto logits = network.run(at::empty({batch, 3, 224, 300}));
        EXPECT_TRUE(logits.is_meta()) << variant;
        EXPECT_EQ(logits.scalar_type(), at::kFloat) << variant;
        EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{batch, kClasses}))
            << variant;
      }
    }
  }
}

TEST(Gpu, TakesTheReferenceWhereLibtorchHasCuda) {
  Gpus gpus;
  gpus.all.resize(1);
  gpus.cuda = 13'000;
  EfficientNetForward::Params params;
  EXPECT_EQ(EfficientNetForward::why_no_gpu(params, "", gpus, 0),
            why_unusable(gpus));
  params.engine = "native";
  EXPECT_NE(EfficientNetForward::why_no_gpu(params, "", gpus, 0)
                .find("use engine: reference"),
            std::string::npos);
}

}  // namespace
}  // namespace penstock::efficientnet
