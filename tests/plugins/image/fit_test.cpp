#include "image/fit.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/load.h"
#include "tests/plugins/audio/support.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

Item fitted(const Texts& texts, const at::Tensor& picture) {
  Item item;
  item.notes["time"] = 1.5;
  item.inputs = {{"other", picture}, {"picture", picture}};
  return audio::run_stage<Fit>(texts, {}, std::move(item));
}

TEST(Fit, MakesOfAPictureWhatLoadMakesOfItsFile) {
  Request request;
  Media media;
  media.name = "flag.png";
  media.bytes = std::make_shared<const std::string>(fixture("flag.png"));
  request.inputs["image"] = media;
  const Texts texts = {{"preset", "efficientnet_lite"}};
  const Item loaded = audio::run_stage<Load>(texts, request, {});
  const auto picture = without_alpha(decode(*media.bytes, {}).pixels, "drop");
  const Item got = fitted(texts, picture);
  EXPECT_TRUE(
      at::equal(get(got.inputs, "pixels"), get(loaded.inputs, "pixels")));
}

TEST(Fit, HandsOnTheRestAndNotThePicture) {
  const Item got = fitted({{"preset", "clip"}}, noise(40, 60, 1));
  EXPECT_NE(find(got.inputs, "other"), nullptr);
  EXPECT_EQ(find(got.inputs, "picture"), nullptr);
  EXPECT_EQ(find(got.inputs, "thumbnail"), nullptr);
  EXPECT_EQ(std::get<double>(got.notes.at("time")), 1.5);
}

TEST(Fit, AThumbnailIsTheWholePictureInASquare) {
  const auto picture = at::full({40, 80, 3}, 200, at::kByte);
  const Item got = fitted({{"preset", "clip"}, {"thumbnail", "20"}}, picture);
  const auto& small = get(got.inputs, "thumbnail");
  ASSERT_EQ(small.sizes(), at::IntArrayRef({20, 20, 3}));
  EXPECT_EQ(small[4].max().item<int>(), 0);
  EXPECT_EQ(small.narrow(0, 5, 10).min().item<int>(), 200);
  EXPECT_EQ(small[15].max().item<int>(), 0);
}

TEST(Fit, RefusesWhatIsNoPicture) {
  for (const auto& wrong :
       {at::full({40, 60}, 0, at::kByte), at::full({40, 60, 3}, 0, at::kFloat),
        at::full({0, 60, 3}, 0, at::kByte)}) {
    EXPECT_THROW((void)fitted({{"preset", "clip"}}, wrong), Error);
  }
  EXPECT_THROW((void)audio::params_of<Fit>({{"fit", "stretch"}}), Error);
}

}  // namespace
}  // namespace penstock::image
