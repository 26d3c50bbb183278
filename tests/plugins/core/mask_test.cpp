// core.mask: what each pixel is, and where in the picture.
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

Decoded mask_of(const at::Tensor& logits, const Notes& notes = {},
                const std::string& params = "") {
  return testing::run_stage(
             "{use: core.mask" + params + "}",
             {.items = {{.notes = notes}}, .outputs = {{{"logits", logits}}}})
      .decoded.at(0);
}

std::vector<int> numbers_of(const Decoded& decoded) {
  const at::Tensor mask = get(decoded.tensors, "mask").contiguous();
  const auto* const first = mask.const_data_ptr<std::uint8_t>();
  return {first, first + mask.numel()};
}

std::string mask_error(const at::Tensor& logits) {
  try {
    (void)mask_of(logits);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Mask, IsTheBestClassOfEachPixel) {
  const auto logits = at::tensor({1.0F, 5.0F, -1.0F, 0.0F,   // class 0
                                  2.0F, 4.0F, -2.0F, 0.0F,   // class 1
                                  0.0F, 6.0F, -3.0F, 1.0F})  // class 2
                          .view({3, 2, 2});
  EXPECT_EQ(numbers_of(mask_of(logits)), (std::vector<int>{1, 2, 0, 2}));
}

TEST(Mask, OfOneClassIsWhereItIsLikely) {
  const auto logits = at::tensor({-1.0F, 0.0F, 2.0F, -9.0F}).view({1, 2, 2});
  EXPECT_EQ(numbers_of(mask_of(logits, {}, ", activation: sigmoid")),
            (std::vector<int>{0, 1, 1, 0}));
  const Decoded none = mask_of(at::full({1, 2, 2}, 0.25F));
  EXPECT_EQ(numbers_of(none), (std::vector<int>{0, 0, 0, 0}));
  EXPECT_EQ(get(none.notes, kBestScore), 0.25);
  EXPECT_EQ(find(mask_of(at::full({1, 2, 2}, 0.75F)).notes, kBestScore),
            nullptr);
}

TEST(Mask, LiesInThePicture) {
  // 4 by 2 in 4 by 4 pixels with a border above and below.
  const Notes notes = {{"seen", Tokens{0, 0, 4, 2, 0, 1, 4, 2}},
                       {"width", std::int64_t{4}},
                       {"height", std::int64_t{2}}};
  auto logits = at::zeros({1, 4, 4});
  logits[0][1][3] = 1.0F;
  logits[0][2][0] = 1.0F;
  logits[0][0].fill_(1.0F);  // in the border
  EXPECT_EQ(numbers_of(mask_of(logits, notes)),
            (std::vector<int>{0, 0, 0, 1, 1, 0, 0, 0}));
}

TEST(Mask, OfACropIsNothingAroundIt) {
  // The middle two of four columns, twice as large.
  const Notes notes = {{"seen", Tokens{0, 0, 4, 1, -2, 0, 8, 2}},
                       {"width", std::int64_t{4}},
                       {"height", std::int64_t{1}}};
  EXPECT_EQ(numbers_of(mask_of(at::full({1, 2, 4}, 1.0F), notes)),
            (std::vector<int>{0, 1, 1, 0}));
}

TEST(Mask, SaysWhatIsWrong) {
  EXPECT_THAT(mask_error(at::zeros({300, 1, 1})),
              HasSubstr("the model has 300 classes, expected 1 to 256"));
  EXPECT_THAT(mask_error(at::zeros({2, 0, 3})), HasSubstr("no pixels"));
  EXPECT_THAT(
      mask_error(at::full({2, 1, 1}, std::numeric_limits<float>::quiet_NaN())),
      HasSubstr("not finite"));
}

TEST(Mask, IsAGoodStage) {
  EXPECT_EQ(testing::stage_faults(
                "{use: core.mask}",
                {.outputs = {{{"logits", at::full({1, 2, 2}, 0.75F)}}}}),
            "");
}

}  // namespace
}  // namespace penstock::core
