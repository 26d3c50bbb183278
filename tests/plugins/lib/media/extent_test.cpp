#include "lib/media/extent.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

Extent extent(const std::string& bytes) {
  return extent_of(*ByteSource::of_bytes("a file", shared(bytes), 1 << 30));
}

struct Container {
  std::string name, codec;
  bool has_pictures = false;
  std::vector<std::pair<std::string, std::string>> options = {};
};
void PrintTo(const Container& one, std::ostream* out) { *out << one.name; }

std::string bytes_of(const Container& one) {
  Film film{.container = one.name, .times = {}};
  if (one.has_pictures) {
    for (int i = 0; i < 100; ++i) film.times.push_back(40L * i);
  }
  // Even sound would be packed into nothing.
  film.sound = {.codec = one.codec, .samples = even_sound(4)};
  std::uint32_t seed = 1;
  for (auto& sample : film.sound.samples) {
    seed = seed * 1664525U + 1013904223U;
    sample = static_cast<std::int16_t>(seed >> 16U);
  }
  film.options = one.options;
  return to_bytes(film);
}

class Containers : public ::testing::TestWithParam<Container> {};

TEST_P(Containers, ShowWhereTheyWereCut) {
  const std::string whole = bytes_of(GetParam());
  EXPECT_NE(extent(whole), Extent::kCut);
  for (const double share : {0.3, 0.6, 0.97}) {
    const auto size =
        static_cast<std::size_t>(share * static_cast<double>(whole.size()));
    EXPECT_EQ(extent(whole.substr(0, size)), Extent::kCut) << share;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Containers,
    ::testing::ValuesIn(std::vector<Container>{
        {"wav", "pcm_s16le"},
        {"aiff", "pcm_s16be"},
        {"au", "pcm_s16be"},
        {"caf", "pcm_s16le"},
        {"w64", "pcm_s16le"},
        {"ogg", "flac"},
        {"matroska", "pcm_s16le", true},
        {"mov", "pcm_s16le", true, {{"movflags", "frag_keyframe+empty_moov"}}},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Extent, IsWholeWhereTheWriterCouldNotKnow) {
  std::string wav = to_bytes({.data = int16_data(std::vector<int>(1000, 5))});
  // SoX leaves that, FFmpeg all ones, when they write to a pipe.
  for (const char* size : {"\x00\xF0\xFF\x7F", "\xFF\xFF\xFF\xFF"}) {
    EXPECT_EQ(extent(wav.replace(40, 4, size, 4)), Extent::kWhole);
  }
  const std::string live = to_bytes(Film{.options = {{"live", "1"}}});
  EXPECT_EQ(extent(live.substr(0, live.size() / 2)), Extent::kUnknown);
}

TEST(Extent, OfWavIsThatOfItsSound) {
  const std::string wav =
      to_bytes({.data = int16_data(std::vector<int>(1000, 5))});
  std::string sloppy = wav;
  sloppy[4] = static_cast<char>(sloppy[4] + 8);  // of the file, not the rest
  EXPECT_EQ(extent(sloppy), Extent::kWhole);
  EXPECT_EQ(extent(wav + "LIST\x40"), Extent::kWhole);
}

TEST(Extent, OfMp4LeavesOutWhatFollows) {
  const std::string film = to_bytes(Film{.container = "mov"});
  EXPECT_EQ(extent(film), Extent::kWhole);
  EXPECT_EQ(extent(film + std::string(3, '\0')), Extent::kWhole);
  EXPECT_EQ(extent(film + std::string("\0\0\1\0free", 8)), Extent::kWhole);
  EXPECT_EQ(extent(film + std::string("\0\0\1\0mdat", 8)), Extent::kCut);
}

TEST(Extent, OfOthersIsNotKnown) {
  EXPECT_EQ(extent("anything"), Extent::kUnknown);
  EXPECT_EQ(extent("R"), Extent::kUnknown);
  EXPECT_EQ(extent("RIFF....WAVE"), Extent::kUnknown);
  EXPECT_EQ(extent("\x1A\x45\xDF\xA3"), Extent::kUnknown);
}

}  // namespace
}  // namespace penstock::media
