// Films whose sound and pictures begin and end at their own times: one clock
// for both, and a file is cut only where it ends before it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lib/media/audio_reader.h"
#include "lib/media/video_reader.h"
#include "penstock/error.h"
#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

using ::testing::HasSubstr;

struct Heard {
  double begin = 0;
  std::vector<float> samples;  ///< of the first channel
  [[nodiscard]] double seconds() const {
    return static_cast<double>(samples.size()) / 16000;
  }
};

Heard hear(const std::string& bytes) {
  AudioReader reader("a film", shared(bytes));
  Heard heard;
  Planes block;
  while (reader.read(block)) {
    heard.samples.insert(heard.samples.end(), block[0].begin(), block[0].end());
  }
  heard.begin = reader.begin();
  return heard;
}

struct Seen {
  double begin = 0, until = 0, stated = 0;
  int count = 0;
};

Seen see(const std::string& bytes) {
  VideoReader reader("a film", shared(bytes));
  Seen seen{.begin = reader.begin(), .stated = reader.info().seconds};
  while (reader.next()) ++seen.count;
  seen.until = reader.until();
  return seen;
}

std::vector<std::int64_t> every_40_ms(double seconds, std::int64_t begin = 0) {
  std::vector<std::int64_t> times;
  for (std::int64_t at = 0; at < std::llround(1000 * seconds); at += 40) {
    times.push_back(begin + at);
  }
  return times;
}

/// What a live Matroska file and a fragment of MP4 do not say is FFmpeg's
/// guess.
struct Kind {
  std::string name, container;
  std::vector<std::pair<std::string, std::string>> options = {};
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class Tracks : public ::testing::TestWithParam<Kind> {
 protected:
  static std::string film(std::vector<std::int64_t> times, Sound sound) {
    return to_bytes(Film{.container = GetParam().container,
                         .times = std::move(times),
                         .sound = std::move(sound),
                         .options = GetParam().options});
  }
};

TEST_P(Tracks, SoundMayEndBeforeThePictures) {
  const auto bytes = film(every_40_ms(8), {.samples = even_sound(2.7)});
  EXPECT_NEAR(hear(bytes).seconds(), 2.7, 0.01);
  EXPECT_EQ(see(bytes).count, 200);
}

TEST_P(Tracks, PicturesMayEndBeforeTheSound) {
  const auto bytes = film(every_40_ms(1), {.samples = even_sound(8)});
  EXPECT_NEAR(hear(bytes).seconds(), 8, 0.01);
  EXPECT_EQ(see(bytes).count, 25);
}

TEST_P(Tracks, PicturesOfASlideShowStay) {
  const auto bytes = film({0, 3000, 6000}, {.samples = even_sound(9)});
  EXPECT_EQ(see(bytes).count, 3);
  EXPECT_EQ(see(film({0, 3000, 6000}, {})).count, 3);
  EXPECT_EQ(see(film({0, 33, 66, 4000}, {})).count, 4);
}

TEST_P(Tracks, SoundThatBeginsLateIsOnTheFilmsClock) {
  const auto bytes =
      film(every_40_ms(4), {.samples = even_sound(2), .begin = 1500});
  EXPECT_NEAR(hear(bytes).begin, 1.5, 0.002);
  EXPECT_NEAR(hear(bytes).seconds(), 2, 0.01);
  EXPECT_EQ(see(bytes).begin, 0);
}

TEST_P(Tracks, PicturesThatBeginLateAreOnTheFilmsClock) {
  const auto bytes = film(every_40_ms(2, 1500), {.samples = even_sound(4)});
  EXPECT_EQ(hear(bytes).begin, 0);
  const Seen seen = see(bytes);
  EXPECT_NEAR(seen.begin, 1.5, 0.002);
  EXPECT_NEAR(seen.until, 3.5, 0.05);
}

TEST_P(Tracks, OneThatIsAloneBeginsAtZero) {
  EXPECT_EQ(hear(film({}, {.samples = even_sound(2), .begin = 1500})).begin, 0);
  EXPECT_EQ(see(film(every_40_ms(2, 1500), {})).begin, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Tracks,
    ::testing::ValuesIn(std::vector<Kind>{
        {"matroska", "matroska"},
        {"mov", "mov"},
        {"fragments", "mov", {{"movflags", "frag_keyframe+delay_moov"}}},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Film, AHoleInItsSoundIsSilence) {
  const Heard heard =
      hear(to_bytes(Film{.times = every_40_ms(4),
                         .sound = {.samples = even_sound(2), .hole = 1000}}));
  EXPECT_NEAR(heard.seconds(), 3, 0.01);
  EXPECT_EQ(heard.samples[15000], 0.25F);
  EXPECT_EQ(heard.samples[24000], 0);
  EXPECT_EQ(heard.samples[33000], 0.25F);
}

TEST(Film, StatesWhenItsPicturesEnd) {
  const Sound sound{.samples = even_sound(4)};
  for (const char* container : {"matroska", "mov"}) {
    const auto bytes = to_bytes(Film{
        .container = container, .times = every_40_ms(1, 1500), .sound = sound});
    EXPECT_NEAR(see(bytes).stated, 2.5, 0.05) << container;
  }
}

std::string refusal(const std::string& bytes, bool is_sound) {
  try {
    if (is_sound) {
      (void)hear(bytes);
    } else {
      (void)see(bytes);
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    return error.what();
  }
  return "was read";
}

TEST(CutFilm, IsRefusedWhicheverTrackIsRead) {
  // Behind the pictures of AVI lies an index of a quarter of the file.
  for (const char* container : {"matroska", "avi"}) {
    const auto whole = to_bytes(Film{.container = container,
                                     .times = every_40_ms(4),
                                     .sound = {.samples = even_sound(4)}});
    for (const std::size_t percent : {30U, 50U, 70U}) {
      const auto bytes = whole.substr(0, whole.size() * percent / 100);
      EXPECT_THAT(refusal(bytes, true), HasSubstr("is cut")) << container;
      EXPECT_THAT(refusal(bytes, false), HasSubstr("is cut")) << container;
    }
  }
}

/// FLAC states how many samples it has; nothing else shows the cut where it is
/// between two frames.
TEST(CutRecording, EndsBeforeTheLengthThatItStates) {
  std::string bytes =
      to_bytes(Film{.container = "flac",
                    .times = {},
                    .sound = {.codec = "flac", .samples = even_sound(9)}});
  // 9 s stated, in the 36 bits of STREAMINFO that begin at byte 21.
  EXPECT_NEAR(hear(bytes).seconds(), 9, 0.01);
  const std::uint32_t more = 20 * 16000;
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[22 + i] = static_cast<char>(more >> (24 - 8 * i));
  }
  EXPECT_THAT(refusal(bytes, true),
              HasSubstr("is cut: its sound ends after 9 of 20 s"));
}

TEST(NoTrack, IsItsOwnKindOfError) {
  const auto pictures = shared(to_bytes(Film{}));
  const auto sound =
      shared(to_bytes(Film{.times = {}, .sound = {.samples = even_sound(1)}}));
  EXPECT_THROW(AudioReader("a film", pictures), NoTrack);
  EXPECT_THROW(VideoReader("a sound", sound), NoTrack);
}

}  // namespace
}  // namespace penstock::media
