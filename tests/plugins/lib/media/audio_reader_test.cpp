#include "lib/media/audio_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>

#include "lib/media/downmix.h"
#include "penstock/error.h"
#include "tests/plugins/lib/media/refused.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

using ::testing::ElementsAre;

Planes read_all(AudioReader& reader) {
  Planes all;
  Planes block;
  while (reader.read(block)) {
    all.resize(block.size());
    for (std::size_t c = 0; c < block.size(); ++c) {
      all[c].insert(all[c].end(), block[c].begin(), block[c].end());
    }
  }
  return all;
}

Planes read_bytes(std::string bytes, const AudioOptions& options = {}) {
  AudioReader reader("test.wav", shared(std::move(bytes)), options);
  return read_all(reader);
}

TEST(AudioReader, SixteenBitsAreExact) {
  const auto got = read_bytes(
      to_bytes({.channels = 2, .data = int16_data({-32768, 16384, 1, 32767})}));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_THAT(got[0], ElementsAre(-1.0F, 1.0F / 32768));
  EXPECT_THAT(got[1], ElementsAre(0.5F, 32767.0F / 32768));
}

TEST(AudioReader, EightBitsStandAroundTheMiddle) {
  const auto got = read_bytes(to_bytes({.bits = 8, .data = "\x80\xFF\x40"}));
  EXPECT_THAT(got[0], ElementsAre(0.0F, 127.0F / 128, -0.5F));
}

TEST(AudioReader, ThirtyTwoBitFloatsStayAsTheyAre) {
  const float value = 0.123F;
  std::string data(reinterpret_cast<const char*>(&value), sizeof value);
  const auto got = read_bytes(to_bytes({.form = 3, .bits = 32, .data = data}));
  EXPECT_THAT(got[0], ElementsAre(value));
}

/// Files of floats hold anything: one such sample would silence all the rest.
TEST(AudioReader, WhatIsNoNumberIsSilence) {
  const std::vector<float> values = {
      0.5F, std::numeric_limits<float>::quiet_NaN(),
      -std::numeric_limits<float>::infinity(), 1e30F, -3.0F};
  const std::string data(reinterpret_cast<const char*>(values.data()),
                         values.size() * sizeof(float));
  AudioReader reader("a.wav",
                     shared(to_bytes({.form = 3, .bits = 32, .data = data})));
  EXPECT_THAT(read_all(reader)[0], ElementsAre(0.5F, 0, 0, 0, -3.0F));
  EXPECT_EQ(reader.faulty(), 3);
}

TEST(AudioReader, AnOddByteAtTheEndIsNoDamage) {
  const auto one = int16_data(std::vector<int>(9000, 7));
  AudioReader reader("a.wav", shared(to_bytes({.data = one + "x"})));
  EXPECT_EQ(read_all(reader)[0].size(), 9000U);
  EXPECT_EQ(reader.damaged(), 0);
  for (int more = 1; more < 6; ++more) {
    const std::string left(static_cast<std::size_t>(more), 'x');
    const auto got = read_bytes(to_bytes({.channels = 3, .data = one + left}));
    EXPECT_EQ(got.at(2).size(), 3000U) << more;
  }
}

/// Frames of silence: MPEG 1 layer III, 128 kbit/s, 44100 Hz, 417 bytes each.
std::string silent_mp3(std::size_t frames) {
  std::string out;
  for (std::size_t i = 0; i < frames; ++i) {
    out += "\xFF\xFB\x90\x64" + std::string(413, '\0');
  }
  return out;
}

std::size_t mp3_samples(const std::string& bytes) {
  AudioReader reader("a.mp3", shared(bytes));
  const std::size_t count = read_all(reader).at(0).size();
  EXPECT_EQ(reader.damaged(), 0);
  return count;
}

TEST(AudioReader, Mp3FilesJoinedOrFilledUpAreReadWhole) {
  const std::string one = silent_mp3(100);
  const std::size_t samples = mp3_samples(one);
  EXPECT_EQ(samples, 115200U);
  const std::string tag =
      std::string("ID3\4\0\0\0\0\0\x40", 10) + std::string(64, 't');
  EXPECT_NEAR(static_cast<double>(mp3_samples(one + tag + one)), 230400, 1152);
  EXPECT_EQ(mp3_samples(one + std::string(20000, '\0')), samples);
  EXPECT_THROW((void)mp3_samples(one + std::string(5000, 'x')), Error);
}

/// FFmpeg's matrix: centre and fronts, surrounds 3 dB less, no LFE.
TEST(AudioReader, SixChannelsAreMixedAsFiveAndOne) {
  AudioReader reader(
      "a.wav", shared(to_bytes(
                   {.channels = 6, .data = int16_data({1, 2, 3, 4, 5, 6})})));
  const auto& shares = reader.info().shares;
  ASSERT_EQ(shares.size(), 6U);
  EXPECT_NEAR(shares[0], 0.2071, 1e-4);
  EXPECT_NEAR(shares[1], 0.2071, 1e-4);
  EXPECT_NEAR(shares[2], 0.2929, 1e-4);
  EXPECT_EQ(shares[3], 0);
  EXPECT_NEAR(shares[4], 0.1464, 1e-4);
  EXPECT_NEAR(shares[5], 0.1464, 1e-4);
}

TEST(AudioReader, TellsWhatItReads) {
  const std::vector<int> second(22050, 7);
  AudioReader reader("a.wav", shared(to_bytes({.channels = 1,
                                               .rate = 22050,
                                               .data = int16_data(second)})));
  EXPECT_EQ(reader.info().sample_rate, 22050);
  EXPECT_EQ(reader.info().channels, 1);
  EXPECT_NEAR(reader.info().seconds, 1, 1e-3);
  EXPECT_EQ(reader.info().codec, "pcm_s16le");
}

TEST(AudioReader, ReadsRawSamplesThatAreNamed) {
  AudioOptions options;
  options.format = {.name = "s16le", .sample_rate = 8000, .channels = 2};
  AudioReader reader("a.raw", shared(int16_data({1, 2, 3, 4})), options);
  EXPECT_EQ(reader.info().sample_rate, 8000);
  const auto got = read_all(reader);
  EXPECT_THAT(got[1], ElementsAre(2.0F / 32768, 4.0F / 32768));
}

std::string cut_sound(std::string bytes) {
  bytes.resize(bytes.size() / 2);
  return bytes;
}

TEST(AudioReader, ACutFileIsReadToItsEndWhenAskedTo) {
  AudioOptions options;
  options.is_strict = false;
  const auto whole = to_bytes({.data = int16_data(std::vector<int>(10000, 5))});
  EXPECT_NEAR(
      static_cast<double>(read_bytes(cut_sound(whole), options)[0].size()),
      5000, 100);
}

TEST(MonoShares, AreTheMeanOfOneAndTwoAndOfWhatNobodyKnows) {
  EXPECT_THAT(mono_shares(1), ElementsAre(1));
  EXPECT_THAT(mono_shares(2), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(mono_shares(9), ::testing::Each(1.0F / 9));
}

TEST(MonoShares, AddUpToOneInEveryLayout) {
  for (int channels = 1; channels <= 64; ++channels) {
    const auto shares = mono_shares(channels);
    ASSERT_EQ(shares.size(), static_cast<std::size_t>(channels));
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-5);
  }
}

void read_file(const std::string& path) {
  AudioReader reader(path, nullptr);
  read_all(reader);
}

AudioOptions limited(void (*limit)(Limits&)) {
  AudioOptions options;
  limit(options.limits);
  return options;
}

const std::string kSecond =
    to_bytes({.data = int16_data(std::vector<int>(16000, 9))});

class BadInput : public ::testing::TestWithParam<Bad> {};

TEST_P(BadInput, IsRefusedInOneLine) { expect_refused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadInput,
    ::testing::ValuesIn(std::vector<Bad>{
        {"missing", [] { read_file("/nowhere/a.wav"); }, Code::kNotFound,
         "cannot open '/nowhere/a.wav'"},
        {"folder", [] { read_file("/tmp"); }, Code::kData, "is a folder"},
        {"device", [] { read_file("/dev/null"); }, Code::kData,
         "a pipe or a device"},
        {"address", [] { read_file("http://host/a.wav"); }, Code::kData,
         "is a URL"},
        {"empty", [] { read_file(file_with("empty.wav", "")); }, Code::kData,
         "is empty"},
        {"text", [] { read_bytes(std::string(5000, 'x')); }, Code::kData,
         "no format of sound or film"},
        {"playlist",
         [] {
           read_bytes(
               "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n"
               "file:///etc/passwd\n");
         },
         Code::kData, "format hls, which is not read"},
        {"list_of_files",
         [] { read_bytes("ffconcat version 1.0\nfile /etc/passwd\n"); },
         Code::kData, "format concat, which is not read"},
        {"no_samples", [] { read_bytes(to_bytes({.data = ""})); }, Code::kData,
         "without any sound"},
        {"cut", [] { read_bytes(cut_sound(kSecond)); }, Code::kData, "is cut"},
        {"many_channels",
         [] {
           read_bytes(kSecond, limited([](Limits& l) { l.max_channels = 0; }));
         },
         Code::kData, "states 1 channels; expected 1 to 0"},
        {"high_rate",
         [] {
           read_bytes(kSecond,
                      limited([](Limits& l) { l.max_sample_rate = 8000; }));
         },
         Code::kData, "states 16000 samples a second; expected 1 to 8000"},
        {"long",
         [] {
           read_bytes(kSecond, limited([](Limits& l) { l.max_seconds = 0.5; }));
         },
         Code::kData, "lasts 1 s; the limit is 0.5"},
        {"large",
         [] {
           read_bytes(kSecond, limited([](Limits& l) { l.max_bytes = 99; }));
         },
         Code::kData, "bytes; the limit is 99"},
        {"unknown_format",
         [] {
           AudioOptions options;
           options.format.name = "hls";
           read_bytes(kSecond, options);
         },
         Code::kUsage, "format 'hls' is not read"},
    }),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace penstock::media
