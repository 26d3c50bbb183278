#include "efficientnet/architecture.h"

#include <gtest/gtest.h>

#include "penstock/error.h"

namespace penstock::efficientnet {
namespace {

TEST(Architecture, Lite0IsTheTableOfThePaper) {
  const auto blocks = architecture("lite0").blocks;
  ASSERT_EQ(blocks.size(), 16U);
  EXPECT_EQ(blocks[0], (Block{3, 1, 1, 32, 16}));
  EXPECT_EQ(blocks[3], (Block{5, 2, 6, 24, 40}));
  EXPECT_EQ(blocks[12], (Block{5, 1, 6, 192, 192}));
  EXPECT_EQ(blocks[15], (Block{3, 1, 6, 192, 320}));
}

/// Blocks and last width of efficientnet_lite_pytorch's models.
TEST(Architecture, LargerVariantsAreDeeperAndWider) {
  struct Expected {
    const char* variant;
    std::size_t blocks;
    std::int64_t last;
  };
  for (const auto& [variant, blocks, last] :
       {Expected{"lite1", 21, 320}, Expected{"lite2", 21, 352},
        Expected{"lite3", 24, 384}, Expected{"lite4", 30, 448}}) {
    const auto found = architecture(variant).blocks;
    EXPECT_EQ(found.size(), blocks) << variant;
    EXPECT_EQ(found.back().out, last) << variant;
    EXPECT_EQ(found.front().in, 32) << variant;
  }
}

TEST(Architecture, SaysWhichTextOfBlocksIsWrong) {
  for (const char* text :
       {"", "r1", "r1_k3_s1_e1_i32", "r1_k4_s1_e1_i32_o16",
        "r1_k3_s3_e1_i32_o16", "r1_k3_s1_e1_i32_o16x", "r0_k3_s1_e1_i32_o16",
        "r99999999999999999999_k3_s1_e1_i32_o16"}) {
    EXPECT_THROW((void)parse_blocks({text}), Error) << text;
  }
  try {
    (void)parse_blocks({"r1_k3_s1_e1_i32_o16", "r1_k3_s1_e6_i24_o24"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.text().find("takes 24"), std::string::npos);
  }
}

TEST(Architecture, PaddingOfTensorFlowIsUnevenWhereItMustBe) {
  Architecture shape = architecture("lite0");
  EXPECT_EQ(padding(shape, 224, 3, 2).before, 0);
  EXPECT_EQ(padding(shape, 224, 3, 2).after, 1);
  EXPECT_EQ(padding(shape, 56, 5, 2).before, 1);
  EXPECT_EQ(padding(shape, 56, 5, 2).after, 2);
  EXPECT_EQ(padding(shape, 7, 5, 1).before, 2);
  shape.is_same_padding = false;
  EXPECT_EQ(padding(shape, 224, 3, 2).before, 1);
}

TEST(Architecture, NamesCanBeReplaced) {
  Architecture shape = architecture("lite0");
  rename(shape, {"stem.conv=features.0.0", "classifier=classifier.1"});
  EXPECT_EQ(shape.names.at("stem.conv"), "features.0.0");
  try {
    rename(shape, {"stem.cnv=x"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.text().find("did you mean 'stem.conv'"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock::efficientnet
