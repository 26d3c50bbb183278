// Another network than EfficientNet, described by params alone, against
// torchvision: by the reference and by every level of native kernels.
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "efficientnet/forward.h"
#include "image/recipe.h"
#include "penstock/error.h"
#include "tests/plugins/image/support.h"

namespace penstock::efficientnet {
namespace {

Architecture mobilenet() {
  Architecture shape;
  shape = architecture("lite0");
  shape.blocks = parse_blocks(
      {"r1_k3_s1_e1_i8_o16", "r2_k3_s2_e6_i16_o24", "r1_k3_s1_e4_i24_o40"});
  shape.stem = 8;
  shape.epsilon = 1e-5;
  shape.is_same_padding = false;
  rename(shape, {"stem.conv=features.0.0", "stem.norm=features.0.1",
                 "plain.depthwise.conv=features.{j}.conv.0.0",
                 "plain.depthwise.norm=features.{j}.conv.0.1",
                 "plain.project.conv=features.{j}.conv.1",
                 "plain.project.norm=features.{j}.conv.2",
                 "expand.conv=features.{j}.conv.0.0",
                 "expand.norm=features.{j}.conv.0.1",
                 "depthwise.conv=features.{j}.conv.1.0",
                 "depthwise.norm=features.{j}.conv.1.1",
                 "project.conv=features.{j}.conv.2",
                 "project.norm=features.{j}.conv.3", "head.conv=features.5.0",
                 "head.norm=features.5.1", "classifier=classifier.1"});
  return shape;
}

Weights weights() {
  return load_weights(
      WeightFile::open(PENSTOCK_SOURCE_DIR "/tests/fixtures/networks/"
                                           "mobilenet.safetensors"),
      mobilenet());
}

at::Tensor pixels(const nlohmann::json& golden) {
  image::Recipe recipe;  // 0..1
  return image::normalize(image::noise(golden["height"], golden["width"],
                                       golden["seed"].get<unsigned>()),
                          recipe);
}

void expect_golden(const at::Tensor& logits, const nlohmann::json& golden,
                   const char* who) {
  ASSERT_EQ(logits.size(0), 10);
  for (std::int64_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(logits[i].item<double>(),
                golden["logits"][static_cast<std::size_t>(i)].get<double>(),
                1e-5)
        << who;
  }
}

TEST(Network, OfOtherBlocksAndNamesEqualsTorchvision) {
  const auto golden = image::golden("mobilenet.json");
  const auto batch = pixels(golden).unsqueeze(0);
  expect_golden(Reference(weights(), mobilenet(), at::kCPU).run(batch)[0],
                golden, "reference");
  for (const native::Kernels* level : native::all_kernels()) {
    const native::Network network(weights(), mobilenet(), *level);
    expect_golden(network.run(batch)[0], golden, level->name);
  }
}

/// In a process of its own: the choice is made once.
TEST(NetworkDeathTest, RefusesAnInstructionSetThatIsNotThere) {
  const auto choose = [](const char* wanted) {
    setenv("PENSTOCK_ISA", wanted, /*overwrite=*/1);
    try {
      std::cerr << native::kernels().name << "\n";
    } catch (const Error& error) {
      std::cerr << error.text() << "\n";
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(choose("sse9"), testing::ExitedWithCode(0),
              "PENSTOCK_ISA is 'sse9'; this processor has .*portable");
  EXPECT_EXIT(choose("portable"), testing::ExitedWithCode(0), "^portable");
}

/// Sizes that fill no block of the kernels, from a single pixel on.
TEST(Network, NativeEqualsReferenceAtAnySize) {
  const Reference reference(weights(), mobilenet(), at::kCPU);
  for (const native::Kernels* level : native::all_kernels()) {
    const native::Network network(weights(), mobilenet(), *level);
    for (const auto& [height, width] :
         {std::pair{1, 1}, {2, 9}, {9, 2}, {33, 31}, {7, 130}, {130, 7}}) {
      std::vector<at::Tensor> images;
      for (unsigned i = 0; i < 3; ++i) {
        image::Recipe recipe;
        images.push_back(
            image::normalize(image::noise(height, width, i + 1), recipe));
      }
      const auto batch = at::stack(images);
      EXPECT_LE(network.run(batch)
                    .sub(reference.run(batch))
                    .abs()
                    .max()
                    .item<double>(),
                2e-5)
          << level->name << " " << height << "x" << width;
      // Alone it is cut into bands; its numbers stay the same.
      EXPECT_TRUE(network.run(batch.narrow(0, 1, 1))
                      .equal(network.run(batch).narrow(0, 1, 1)))
          << level->name << " " << height << "x" << width;
    }
  }
}

TEST(Network, SaysWhichWeightIsMissing) {
  const auto file = WeightFile::open(
      PENSTOCK_SOURCE_DIR "/tests/fixtures/networks/mobilenet.safetensors");
  try {
    (void)load_weights(file, architecture("lite0"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_NE(error.text().find("_conv_stem.weight"), std::string::npos)
        << error.text();
  }
}

}  // namespace
}  // namespace penstock::efficientnet
