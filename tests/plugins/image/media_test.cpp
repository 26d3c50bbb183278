// Real files: pixels as Pillow's, the broken ones refused. Needs what
// tools/media fetches.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "image/decode.h"
#include "image/recipe.h"
#include "penstock/error.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

TEST(Media, PixelsAreThoseOfPillow) {
  const auto cases = golden("decoded.json");
  ASSERT_GE(cases.size(), 50U);
  for (const auto& each : cases) {
    const std::string name = each["file"];
    const Picture picture = decode(file_bytes(media_folder() / name), {});
    const auto pixels =
        upright(without_alpha(picture.pixels, "drop"), picture.orientation);
    EXPECT_EQ(pixels.size(0), each["height"].get<std::int64_t>()) << name;
    EXPECT_EQ(pixels.size(1), each["width"].get<std::int64_t>()) << name;
    EXPECT_EQ(digest(pixels), each["sha256"]) << name;
  }
}

/// The default resize against the exact one, on photographs and drawings, after
/// each processor: hardly a value is off by more than a step of 1/255, none by
/// more than two. libtorch rounds its weights to 16 bits.
TEST(Media, TorchResizesWithinAStepOfPillow) {
  std::vector<at::Tensor> pictures;
  for (const char* set : {"skimage", "sklearn"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(media_folder() / set)) {
      try {
        const auto picture = decode(file_bytes(entry.path()), {}).pixels;
        if (picture.size(0) < 50 || picture.size(1) < 50) continue;
        pictures.push_back(without_alpha(picture, "drop"));
      } catch (const Error&) {  // no picture, or a broken one
        continue;
      }
    }
  }
  EXPECT_GE(pictures.size(), 20U);
  for (const char* name : {"siglip", "clip", "vit", "gemma3"}) {
    Recipe recipe = preset(name);
    const double step =
        1.0001 / 255 / *std::min_element(recipe.std.begin(), recipe.std.end());
    double worst = 0;
    std::int64_t more = 0;
    std::int64_t all = 0;
    for (const at::Tensor& picture : pictures) {
      recipe.backend = "pillow";
      const auto exact = normalize(reshape(picture, recipe), recipe);
      recipe.backend = "torch_aa";
      const auto quick = normalize(reshape(picture, recipe), recipe);
      const auto off = (exact - quick).abs();
      worst = std::max(worst, off.max().item<double>());
      more += off.gt(step).sum().item<std::int64_t>();
      all += off.numel();
    }
    std::cout << name << ": at most " << worst / step << " steps on "
              << pictures.size() << " pictures; more than one on " << more
              << " of " << all << " values\n";
    EXPECT_LE(worst, 2 * step) << name;
    EXPECT_LE(more * 50'000, all) << name;
  }
}

/// Every file of Pillow's own tests and of scikit-image's, broken ones and
/// bombs too: decoded or refused in one line, whatever it is.
TEST(Media, EveryFileIsDecodedOrRefused) {
  int decoded = 0;
  int refused = 0;
  for (const char* set : {"pillow-tests", "skimage"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(media_folder() / set)) {
      if (!entry.is_regular_file()) continue;
      const std::string bytes = file_bytes(entry.path());
      try {
        const auto picture = decode(bytes, {});
        EXPECT_GT(picture.pixels.numel(), 0) << entry.path();
        ++decoded;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kData) << entry.path() << error.what();
        EXPECT_EQ(error.text().find('\n'), std::string::npos) << entry.path();
        ++refused;
      }
    }
  }
  std::cout << decoded << " decoded, " << refused << " refused\n";
  EXPECT_GT(decoded, 300);
  EXPECT_GT(refused, 100);
}

TEST(Media, DamagedFilesAreErrors) {
  for (const char* name :
       {"skimage/truncated.jpg", "pillow-tests/truncated_jpeg.jpg",
        "pillow-tests/truncated_image.png", "pillow-tests/broken.png",
        "pillow-tests/broken_data_stream.png",
        "pillow-tests/decompression_bomb.gif"}) {
    EXPECT_THROW((void)decode(file_bytes(media_folder() / name), {}), Error)
        << name;
  }
}

}  // namespace
}  // namespace penstock::image
