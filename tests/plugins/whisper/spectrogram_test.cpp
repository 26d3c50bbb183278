// The picture of a sound, read back with zlib alone.
#include "whisper/spectrogram.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace penstock::whisper {
namespace {

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    out = out << 8U | static_cast<unsigned char>(bytes.at(i));
  }
  return out;
}

/// The data of a chunk, its check sum compared.
std::string chunk(const std::string& png, const std::string& type) {
  std::size_t at = 8;
  while (at < png.size()) {
    const std::size_t size = number_at(png, at);
    const std::string body = png.substr(at + 4, size + 4);
    EXPECT_EQ(number_at(png, at + 8 + size),
              crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                    static_cast<uInt>(body.size())));
    if (body.starts_with(type)) return body.substr(4);
    at += 12 + size;
  }
  ADD_FAILURE() << "no chunk " << type;
  return "";
}

std::string pixels(const std::string& png, std::size_t size) {
  const std::string data = chunk(png, "IDAT");
  std::string out(size, '\0');
  uLongf got = size;
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(out.data()), &got,
                       reinterpret_cast<const Bytef*>(data.data()),
                       static_cast<uLong>(data.size())),
            Z_OK);
  EXPECT_EQ(got, size);
  return out;
}

TEST(Spectrogram, IsAPngWithHighAboveLow) {
  auto features = at::full({2, 50}, -1.0F);
  features[1][7] = 1;               // the higher mel, loud in frame 7
  features.select(1, 49).fill_(5);  // behind the sound's end
  const std::string png = draw_spectrogram(features, 40);

  EXPECT_TRUE(png.starts_with("\x89PNG\r\n\x1A\n"));
  const std::string header = chunk(png, "IHDR");
  EXPECT_EQ(number_at(header, 0), 40U);
  EXPECT_EQ(number_at(header, 4), 6U);
  EXPECT_EQ(chunk(png, "PLTE").size(), 768U);
  EXPECT_EQ(chunk(png, "IEND"), "");
  const std::string rows = pixels(png, std::size_t{6} * 41);
  for (std::size_t r = 0; r < 6; ++r) {
    for (std::size_t x = 0; x < 41; ++x) {
      const bool is_loud = r < 3 && x == 8;
      EXPECT_EQ(rows[r * 41 + x], is_loud ? '\xFF' : '\0') << r << " " << x;
    }
  }
}

TEST(Spectrogram, OfALongSoundKeepsWhatIsLoud) {
  auto features = at::full({1, 20'000}, 0.0F);
  features[0][19'999] = 1;
  const std::string png = draw_spectrogram(features, 20'000);
  EXPECT_EQ(number_at(chunk(png, "IHDR"), 0), 8000U);
  EXPECT_EQ(pixels(png, std::size_t{3} * 8001).back(), '\xFF');
}

TEST(Spectrogram, OfNothingIsOneColumn) {
  const std::string png = draw_spectrogram(at::full({80, 3000}, 0.0F), 0);
  EXPECT_EQ(number_at(chunk(png, "IHDR"), 0), 1U);
}

}  // namespace
}  // namespace penstock::whisper
