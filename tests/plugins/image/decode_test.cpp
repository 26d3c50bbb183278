// Every format, upright, and what is damaged: an error, never a crash.
#include "image/decode.h"

#include <gtest/gtest.h>

#include "penstock/error.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

struct DecodeCase {
  const char* file;
  const char* format;
  std::int64_t channels;
  int tolerance;  ///< of a coded colour
};

/// 24x16: left half red (200, 40, 40), right half blue (40, 40, 200).
class Format : public testing::TestWithParam<DecodeCase> {};

TEST_P(Format, IsDecoded) {
  const DecodeCase& c = GetParam();
  const std::string bytes = fixture(c.file);
  EXPECT_EQ(format_of(bytes), c.format);
  const Picture picture = decode(bytes, {});
  ASSERT_EQ(picture.pixels.sizes(), at::IntArrayRef({16, 24, c.channels}));
  const auto rgb = without_alpha(picture.pixels, "drop");
  EXPECT_NEAR(rgb[8][3][0].item<int>(), 200, c.tolerance);
  EXPECT_NEAR(rgb[8][3][2].item<int>(), 40, c.tolerance);
  EXPECT_NEAR(rgb[8][20][0].item<int>(), 40, c.tolerance);
  EXPECT_NEAR(rgb[8][20][2].item<int>(), 200, c.tolerance);
}

TEST_P(Format, IsRefusedWhenItIsTooLarge) {
  const std::string bytes = fixture(GetParam().file);
  try {
    (void)decode(bytes, {.max_pixels = 24 * 16 - 1});
    FAIL() << "it was decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_NE(error.text().find("24x16"), std::string::npos) << error.text();
  }
}

/// Cut anywhere: an error, or, where only what follows the pixels is gone, the
/// same picture. Never one with invented pixels.
TEST_P(Format, CutShortIsAnErrorOrWhole) {
  const std::string bytes = fixture(GetParam().file);
  const auto whole = decode(bytes, {}).pixels;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    try {
      const auto pixels = decode(part, {}).pixels;
      EXPECT_TRUE(pixels.equal(whole)) << "cut at " << size;
      EXPECT_GT(size, bytes.size() / 2);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData) << error.what();
      EXPECT_EQ(error.text().find('\n'), std::string::npos);
    }
  }
}

TEST_P(Format, FlippedBitsNeverCrash) {
  const std::string bytes = fixture(GetParam().file);
  int errors = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ flip);
      try {
        (void)decode(bad, {.max_pixels = 1 << 20});
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kData) << error.what();
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Image, Format,
    testing::Values(DecodeCase{"flag.jpg", "JPEG", 3, 6},
                    DecodeCase{"progressive.jpg", "JPEG", 3, 6},
                    DecodeCase{"cmyk.jpg", "JPEG", 3, 6},
                    DecodeCase{"flag.png", "PNG", 3, 0},
                    DecodeCase{"alpha.png", "PNG", 4, 0},
                    DecodeCase{"palette.png", "PNG", 3, 0},
                    DecodeCase{"16bit.png", "PNG", 3, 0},
                    DecodeCase{"flag.webp", "WebP", 3, 0},
                    DecodeCase{"animated.webp", "WebP", 4, 0},
                    DecodeCase{"flag.gif", "GIF", 3, 0},
                    DecodeCase{"flag.tif", "TIFF", 3, 0},
                    DecodeCase{"flag.bmp", "BMP", 3, 0}),
    [](const auto& about) {
      std::string name = about.param.file;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

TEST(Decode, RefusesWhatIsNoPicture) {
  for (const std::string bytes : {"", "hello", "%PDF-1.4", "RIFFxxxxWAVE"}) {
    try {
      (void)decode(bytes, {});
      FAIL() << bytes;
    } catch (const Error& error) {
      EXPECT_NE(error.text().find("expected JPEG, PNG"), std::string::npos);
    }
  }
}

TEST(Decode, TurnsEveryOrientationUpright) {
  const auto upright_picture = noise(2, 3, 5);
  // How the stored pixels of each orientation come from the upright ones.
  const auto stored = [&](int orientation) -> at::Tensor {
    const auto& p = upright_picture;
    switch (orientation) {
      case 2:
        return p.flip(1);
      case 3:
        return p.flip({0, 1});
      case 4:
        return p.flip(0);
      case 5:
        return p.transpose(0, 1);
      case 6:  // to be turned clockwise: stored turned the other way
        return p.rot90(1, {0, 1});
      case 7:
        return p.transpose(0, 1).flip({0, 1});
      case 8:
        return p.rot90(-1, {0, 1});
      default:
        return p;
    }
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_TRUE(upright(stored(orientation).contiguous(), orientation)
                    .equal(upright_picture))
        << orientation;
  }
}

TEST(Decode, ReadsOrientationOfAnyByteOrderAndNothingElse) {
  const std::string little(
      "II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0", 26);
  const std::string big("MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\10\0\0\0\0\0\0",
                        26);
  EXPECT_EQ(exif_orientation(little), 6);
  EXPECT_EQ(exif_orientation(big), 8);
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(exif_orientation(little.substr(0, size)), 1) << size;
  }
  std::string far = little;
  far[4] = '\xFF';
  far[7] = '\x7F';
  EXPECT_EQ(exif_orientation(far), 1);
}

TEST(Decode, LaysTransparentPixelsOnTheBackground) {
  auto pixels = noise(1, 2, 1).new_zeros({1, 1, 4});
  pixels[0][0][0] = 100;
  pixels[0][0][3] = 51;  // a fifth
  EXPECT_EQ(without_alpha(pixels, "drop")[0][0][0].item<int>(), 100);
  EXPECT_EQ(without_alpha(pixels, "black")[0][0][0].item<int>(), 20);
  EXPECT_EQ(without_alpha(pixels, "white")[0][0][0].item<int>(), 224);
}

TEST(Decode, ShrinksJpegsWhileTheyStayLargeEnough) {
  const Picture picture = decode(fixture("flag.jpg"), {.shrink_to = 8});
  EXPECT_EQ(picture.pixels.sizes(), at::IntArrayRef({8, 12, 3}));
}

}  // namespace
}  // namespace penstock::image
