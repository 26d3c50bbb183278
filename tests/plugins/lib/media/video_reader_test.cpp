#include "lib/media/video_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "penstock/error.h"
#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/refused.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

using ::testing::ElementsAre;

struct SeenFrames {
  std::vector<std::int64_t> pts;
  std::vector<double> times, untils;
  Size size;
  std::vector<std::uint8_t> rgb;  ///< of the first picture
  std::int64_t damaged = 0;

  [[nodiscard]] std::array<int, 3> at(int x, int y) const {
    const auto i = static_cast<std::size_t>(3) *
                   static_cast<std::size_t>(y * size.width + x);
    return {rgb[i], rgb[i + 1], rgb[i + 2]};
  }
};

SeenFrames watch(std::string bytes, const VideoOptions& options = {}) {
  VideoReader reader("a film", shared(std::move(bytes)), options);
  SeenFrames seen;
  while (reader.next()) {
    EXPECT_EQ(reader.index(), static_cast<std::int64_t>(seen.pts.size()));
    seen.pts.push_back(reader.pts());
    seen.times.push_back(reader.time());
    seen.untils.push_back(reader.until());
    if (reader.index() > 0) continue;
    seen.size = reader.size();
    seen.rgb.resize(seen.size.bytes());
    reader.copy_to(seen.rgb.data());
  }
  seen.damaged = reader.damaged();
  return seen;
}

TEST(VideoReader, PicturesComeAtUnevenTimes) {
  const SeenFrames seen = watch(to_bytes(Film{.times = {0, 33, 218, 250}}));
  EXPECT_THAT(seen.pts, ElementsAre(0, 33, 218, 250));
  EXPECT_THAT(seen.times, ElementsAre(0, 0.033, 0.218, 0.25));
  EXPECT_THAT(seen.untils,
              ElementsAre(0.033, 0.218, 0.25, testing::DoubleNear(0.29, 0.05)));
}

TEST(VideoReader, TheFilmsClockBeginsWithTheFile) {
  const SeenFrames seen = watch(to_bytes(Film{.times = {500, 540}}));
  EXPECT_THAT(seen.pts, ElementsAre(500, 540));
  EXPECT_DOUBLE_EQ(seen.times[0], 0);
  EXPECT_NEAR(seen.times[1], 0.04, 1e-9);
}

struct Colour {
  std::string name;
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  bool is_bt709 = false;
  double kr = 0.299, kb = 0.114;  ///< of the matrix that is meant
  bool is_full = false;
};
void PrintTo(const Colour& colour, std::ostream* out) { *out << colour.name; }

/// ITU-R BT.601 and BT.709, of one pixel.
std::array<double, 3> rgb_of(const Colour& about, double y, double u,
                             double v) {
  const double luma = about.is_full ? y / 255 : (y - 16) / 219;
  const double scale = about.is_full ? 255 : 224;
  const double blue = 2 * (1 - about.kb) * (u - 128) / scale;
  const double red = 2 * (1 - about.kr) * (v - 128) / scale;
  const double green =
      -(about.kr * red + about.kb * blue) / (1 - about.kr - about.kb);
  return {255 * (luma + red), 255 * (luma + green), 255 * (luma + blue)};
}

class Colours : public ::testing::TestWithParam<Colour> {};

TEST_P(Colours, AreThoseOfTheMatrix) {
  const Colour& about = GetParam();
  Film film{.matrix = about.matrix, .range = about.range};
  film.quarters = {
      {{120, 100, 160}, {90, 160, 110}, {150, 128, 128}, {60, 110, 140}}};
  const SeenFrames seen = watch(to_bytes(film), {.is_bt709 = about.is_bt709});
  for (std::size_t i = 0; i < 4; ++i) {
    const auto got =
        seen.at(i % 2 == 1 ? film.width - 4 : 4, i > 1 ? film.height - 4 : 4);
    const auto& yuv = film.quarters.at(i);
    const auto want = rgb_of(about, yuv[0], yuv[1], yuv[2]);
    for (std::size_t c = 0; c < 3; ++c) {
      // swscale rounds each of its sums down.
      EXPECT_NEAR(got.at(c), want.at(c), 2.5) << "quarter " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Colours,
    ::testing::ValuesIn(std::vector<Colour>{
        {.name = "untagged_is_bt601"},
        {.name = "untagged_may_be_bt709",
         .is_bt709 = true,
         .kr = 0.2126,
         .kb = 0.0722},
        {.name = "tagged_bt709",
         .matrix = AVCOL_SPC_BT709,
         .kr = 0.2126,
         .kb = 0.0722},
        {.name = "a_tag_wins", .matrix = AVCOL_SPC_SMPTE170M, .is_bt709 = true},
        {.name = "full_range",
         .matrix = AVCOL_SPC_BT709,
         .range = AVCOL_RANGE_JPEG,
         .kr = 0.2126,
         .kb = 0.0722,
         .is_full = true},
    }),
    [](const auto& param) { return param.param.name; });

struct Turned {
  std::string name;
  std::vector<std::int32_t> matrix;  ///< a, b, c, d
  std::array<int, 4> quarters;       ///< luma of the shown ones, as stored in
};
void PrintTo(const Turned& turned, std::ostream* out) { *out << turned.name; }

class Turns : public ::testing::TestWithParam<Turned> {};

TEST_P(Turns, ShowThePictureUpright) {
  constexpr int kOne = 65536;
  const auto& m = GetParam().matrix;
  Film film{.container = "mov", .width = 64, .height = 32};
  film.display = {m[0] * kOne, m[1] * kOne, 0, m[2] * kOne, m[3] * kOne,
                  0,           0,           0, 1 << 30};
  const SeenFrames seen = watch(to_bytes(film));
  const bool is_upright = m[0] != 0;
  ASSERT_EQ(seen.size.width, is_upright ? 64 : 32);
  ASSERT_EQ(seen.size.height, is_upright ? 32 : 64);
  for (std::size_t i = 0; i < 4; ++i) {
    const int x = i % 2 == 1 ? seen.size.width - 5 : 4;
    const int y = i > 1 ? seen.size.height - 5 : 4;
    const double luma = GetParam().quarters.at(i);
    EXPECT_NEAR(seen.at(x, y)[1], (luma - 16) * 255 / 219, 6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Turns,
    ::testing::ValuesIn(std::vector<Turned>{
        {"none", {1, 0, 0, 1}, {200, 150, 100, 50}},
        {"right", {0, 1, -1, 0}, {100, 200, 50, 150}},
        {"half", {-1, 0, 0, -1}, {50, 100, 150, 200}},
        {"left", {0, -1, 1, 0}, {150, 50, 200, 100}},
        {"mirrored", {-1, 0, 0, 1}, {150, 200, 50, 100}},
        {"upside_down", {1, 0, 0, -1}, {100, 50, 200, 150}},
        {"transposed", {0, 1, 1, 0}, {200, 100, 150, 50}},
        {"transposed_and_turned", {0, -1, -1, 0}, {50, 150, 100, 200}},
    }),
    [](const auto& param) { return param.param.name; });

TEST(VideoReader, PixelsBecomeSquare) {
  const std::string bytes =
      to_bytes(Film{.width = 176, .height = 144, .aspect = {128, 117}});
  EXPECT_EQ(watch(bytes).size.width, 193);  // 176 * 128 / 117 = 192.5
  EXPECT_EQ(watch(bytes).size.height, 144);
  EXPECT_EQ(watch(bytes, {.is_square = false}).size.width, 176);
}

TEST(VideoReader, OddSizesAreWhole) {
  const SeenFrames seen = watch(to_bytes(Film{.width = 34, .height = 18}));
  EXPECT_EQ(seen.size.width, 34);
  EXPECT_NEAR(seen.at(33, 17)[0], (50 - 16) * 255 / 219.0, 2);
}

std::vector<std::int64_t> each_40_ms(int count) {
  std::vector<std::int64_t> times;
  times.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) times.push_back(40L * i);
  return times;
}

/// Four seconds.
const std::string kFilm = to_bytes(Film{.times = each_40_ms(100)});
const VideoOptions kSkip{.is_strict = false};

std::string cut(std::string bytes) {
  bytes.resize(bytes.size() / 2);
  return bytes;
}

/// With the bytes of some frames spoilt.
std::string damaged() {
  std::string bytes =
      to_bytes(Film{.container = "mov", .times = each_40_ms(100)});
  for (std::size_t i = 0; i < 200; ++i) bytes[bytes.size() / 4 + i] ^= 0x55;
  return bytes;
}

TEST(VideoReader, ACutFilmIsReadToItsEndWhenAskedTo) {
  const SeenFrames seen = watch(cut(kFilm), kSkip);
  EXPECT_NEAR(static_cast<double>(seen.pts.size()), 50, 5);
}

TEST(VideoReader, DamagedPicturesAreLeftOutWhenAskedTo) {
  const SeenFrames seen = watch(damaged(), kSkip);
  EXPECT_GE(seen.damaged, 1);
  EXPECT_GE(seen.pts.size(), 90U);
}

TEST(VideoReader, BitsTurnedOverAreReadOrRefused) {
  std::mt19937 random(11);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = kFilm;
    const std::size_t most = i % 2 == 0 ? bytes.size() : 400;
    for (int k = 0; k < 10; ++k) {
      char& byte = bytes[random() % most];
      byte = static_cast<char>(byte ^ (1 << (random() % 8)));
    }
    try {
      (void)watch(bytes, i % 3 == 0 ? kSkip : VideoOptions{});
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), Code::kData) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GE(refused, 50);
}

void watch_file(const std::string& path) {
  VideoReader reader(path, nullptr);
  while (reader.next()) {
  }
}

void watch_limited(void (*limit)(Limits&)) {
  VideoOptions options;
  limit(options.limits);
  (void)watch(kFilm, options);
}

/// A picture that states 65535 x 65535 pixels in a few bytes.
const std::string kGifBomb =
    std::string("GIF89a\xFF\xFF\xFF\xFF\x80\x00\x00", 13) +
    std::string("\x00\x00\x00\xFF\xFF\xFF", 6) +
    std::string(",\x00\x00\x00\x00\xFF\xFF\xFF\xFF\x00\x02\x02\x44\x01\x00;",
                16);

class BadFilm : public ::testing::TestWithParam<Bad> {};

TEST_P(BadFilm, IsRefusedInOneLine) { expect_refused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadFilm,
    ::testing::ValuesIn(std::vector<Bad>{
        {"missing", [] { watch_file("/nowhere/a.mp4"); }, Code::kNotFound,
         "cannot open '/nowhere/a.mp4'"},
        {"folder", [] { watch_file("/tmp"); }, Code::kData, "is a folder"},
        {"device", [] { watch_file("/dev/null"); }, Code::kData,
         "a pipe or a device"},
        {"address", [] { watch_file("http://host/a.mp4"); }, Code::kData,
         "is a URL"},
        {"empty", [] { watch_file(file_with("empty.mp4", "")); }, Code::kData,
         "is empty"},
        {"text", [] { (void)watch(std::string(5000, 'x')); }, Code::kData,
         "no format of sound or film"},
        {"playlist",
         [] {
           (void)watch(
               "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n"
               "file:///etc/passwd\n");
         },
         Code::kData, "format hls, which is not read"},
        {"sound",
         [] {
           (void)watch(
               to_bytes({.data = int16_data(std::vector<int>(16000, 9))}));
         },
         Code::kData, "has no video track; it has: audio (pcm_s16le)"},
        {"cut", [] { (void)watch(cut(kFilm)); }, Code::kData, "damaged: skip"},
        {"damaged", [] { (void)watch(damaged()); }, Code::kData,
         " s (mpeg4: Invalid data found"},
        {"bomb", [] { (void)watch(kGifBomb); }, Code::kData,
         "65535x65535 pixels; the limit is 64000000"},
        {"large", [] { watch_limited([](Limits& l) { l.max_pixels = 511; }); },
         Code::kData, "states pictures of 32x16 pixels; the limit is 511"},
        {"large_when_square",
         [] {
           VideoOptions options;
           options.limits.max_pixels = 60000;
           (void)watch(
               to_bytes(Film{.width = 320, .height = 160, .aspect = {2, 1}}),
               options);
         },
         Code::kData, "640x160 square pixels; the limit is 60000"},
        {"long", [] { watch_limited([](Limits& l) { l.max_seconds = 0.5; }); },
         Code::kData, "lasts 4 s; the limit is 0.5"},
        {"many_bytes",
         [] { watch_limited([](Limits& l) { l.max_bytes = 99; }); },
         Code::kData, "bytes; the limit is 99"},
    }),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace penstock::media
