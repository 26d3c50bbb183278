// image.save: which tensors are pictures, and that their bytes come back.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "image/decode.h"
#include "penstock/media.h"
#include "penstock/testing/run_stage.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using ::testing::HasSubstr;

Decoded decoded_of(Tensors tensors) {
  Decoded decoded;
  decoded.tensors = std::move(tensors);
  return decoded;
}

struct Saved {
  at::Tensor pixels;  ///< read again, u8[H,W,3]
  Outcome outcome;
};

/// `params` as ", mean: 0.5"; the picture is what a Decode gave.
Saved saved(const at::Tensor& picture, const std::string& params = "") {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "saved";
  std::filesystem::remove_all(folder);
  Saved out;
  out.outcome =
      testing::run_stage(
          "{use: image.save, folder: '" + folder.string() + "'" + params + "}",
          {.decoded = {decoded_of({{"pixels", picture}})}})
          .outcome;
  Media media;
  media.name = std::filesystem::directory_iterator(folder)->path().string();
  out.pixels = decode(*read_media(media, 1 << 20), {}).pixels;
  std::filesystem::remove_all(folder);
  return out;
}

std::string error_of(const at::Tensor& picture,
                     const std::string& params = "") {
  try {
    (void)saved(picture, params);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Save, WritesWhatIsReadAgain) {
  const at::Tensor picture = noise(5, 7, 3);
  const Saved got = saved(picture);
  EXPECT_TRUE(at::equal(got.pixels, picture));
  EXPECT_THAT(got.outcome.json(), HasSubstr(R"("width":7,"height":5)"));
  EXPECT_THAT(got.outcome.text(), HasSubstr(".png"));
}

TEST(Save, ChannelsMayStandFirst) {
  const at::Tensor picture = noise(5, 7, 3);
  const at::Tensor real = picture.permute({2, 0, 1}).to(at::kFloat) / 255;
  EXPECT_TRUE(at::equal(saved(real).pixels, picture));
  // bf16 has 8 bits of each number, so that some bytes differ by 1.
  const auto coarse = saved(real.to(at::kBFloat16)).pixels.to(at::kInt);
  EXPECT_LE((coarse - picture).abs().max().item<int>(), 1);
}

TEST(Save, GreyHasThreeEqualChannels) {
  const auto grey = at::arange(6, at::kByte).reshape({2, 3});
  const auto got = saved(grey).pixels;
  for (int c = 0; c < 3; ++c) {
    EXPECT_TRUE(at::equal(got.select(2, c), grey)) << c;
  }
}

TEST(Save, TakesBackWhatNormalisingDid) {
  const at::Tensor picture = noise(4, 4, 9);
  const auto mean = at::tensor({0.5F, 0.25F, 0.125F}).reshape({3, 1, 1});
  const auto std = at::tensor({0.5F, 0.25F, 0.2F}).reshape({3, 1, 1});
  const auto seen =
      (picture.permute({2, 0, 1}).to(at::kFloat) / 255 - mean) / std;
  EXPECT_TRUE(at::equal(
      saved(seen, ", mean: [0.5, 0.25, 0.125], std: [0.5, 0.25, 0.2]").pixels,
      picture));
}

TEST(Save, WhatIsBeyondIsCut) {
  const auto got =
      saved(at::tensor({-3.0F, 7.0F, std::nanf(""), 0.5F}).reshape({1, 2, 2}))
          .pixels.select(2, 0)
          .flatten();
  EXPECT_TRUE(at::equal(got, at::tensor({0, 255, 0, 128}).to(at::kByte)));
}

TEST(Save, RefusesWhatIsNoPicture) {
  EXPECT_THAT(error_of(at::full({4}, 1, at::kFloat)),
              HasSubstr("'pixels' is Float[4]; a picture is"));
  EXPECT_THAT(error_of(at::full({2, 4, 4}, 1, at::kFloat)),
              HasSubstr("[2,4,4]"));
  EXPECT_THAT(error_of(at::full({3, 0, 4}, 1, at::kFloat)),
              HasSubstr("[3,0,4]"));
  EXPECT_THAT(error_of(at::full({3, 4, 4}, 1, at::kLong)), HasSubstr("Long"));
  EXPECT_THAT(error_of(at::full({3, 4, 4}, 1, at::kFloat), ", std: [1, 2]"),
              HasSubstr("std has 2 numbers; the picture has 3 channels"));
  EXPECT_THAT(error_of(at::full({3, 4, 4}, 1, at::kFloat), ", tensor: mask"),
              HasSubstr("no tensor 'mask': decode gives 'pixels'"));
  EXPECT_THAT(error_of(at::full({3, 4, 4}, 1, at::kFloat), ", mean: []"),
              HasSubstr("mean and std have"));
}

}  // namespace
}  // namespace penstock::image
