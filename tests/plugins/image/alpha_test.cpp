// Pictures with alpha and files that are a little odd: the pixels that Pillow
// reads, see make_alpha.py.
#include <gtest/gtest.h>

#include "image/decode.h"
#include "penstock/error.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

std::string file(const std::string& name) {
  return fixture("../alpha/" + name);
}

TEST(Alpha, AndColoursAreThoseOfPillow) {
  const auto cases = golden("../alpha/cases.json");
  ASSERT_GE(cases.size(), 28U);
  for (const auto& each : cases) {
    const std::string name = each["file"];
    try {
      const auto pixels = decode(file(name), {}).pixels;
      EXPECT_EQ(pixels.sizes().vec(),
                each["shape"].get<std::vector<std::int64_t>>())
          << name;
      EXPECT_EQ(digest(pixels), each["sha256"]) << name;
    } catch (const Error& error) {
      ADD_FAILURE() << name << ": " << error.what();
    }
  }
}

TEST(Alpha, OfATiffIsLaidOnABackgroundOnce) {
  const auto pixels = decode(file("rgba.tif"), {}).pixels;
  const auto white = without_alpha(pixels, "white");
  // Column 7 is 192 of 255.
  const int stored = pixels[0][7][0].item<int>();
  EXPECT_EQ(white[0][7][0].item<int>(), (stored * 192 + 255 * 63 + 127) / 255);
}

TEST(Alpha, OfAGifIsItsTransparentColour) {
  const auto pixels = decode(file("transparent_part.gif"), {}).pixels;
  // Outside of the frame there is nothing.
  EXPECT_EQ(without_alpha(pixels, "white")[0][0][1].item<int>(), 255);
  EXPECT_EQ(without_alpha(pixels, "black")[0][0][1].item<int>(), 0);
}

/// Damage anywhere: decoded or refused, never a crash.
TEST(Alpha, FlippedBitsNeverCrash) {
  int errors = 0;
  for (const char* name : {"grey_alpha_tiles.tif", "cmyk_alpha.tif",
                           "palette_alpha.tif", "transparent_part.gif"}) {
    const std::string bytes = file(name);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const unsigned flip : {0x01U, 0x02U, 0xFFU}) {
        std::string bad = bytes;
        bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ flip);
        try {
          (void)decode(bad, {.max_pixels = 1 << 16});
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::kData) << error.what();
          ++errors;
        }
      }
    }
  }
  EXPECT_GT(errors, 0);
}

TEST(Alpha, APngIsReadWithoutItsEndAndNotWithoutItsPixels) {
  const std::string bytes = file("without_end.png");
  EXPECT_NO_THROW((void)decode(bytes, {}));
  EXPECT_THROW((void)decode(bytes.substr(0, bytes.size() / 2), {}), Error);
}

}  // namespace
}  // namespace penstock::image
