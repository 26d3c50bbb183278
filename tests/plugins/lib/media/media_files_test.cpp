// Real files of tools/media: every container and codec there, and the same
// files damaged, of which each is read or refused in one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "lib/media/audio_reader.h"
#include "penstock/error.h"
#include "tests/plugins/lib/media/media_files.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::media {
namespace {

struct Heard {
  double seconds = 0;
  int rate = 0;
  std::vector<double> rms;  ///< of each channel
  std::string error;
};

Heard hear(const std::string& name,
           const std::shared_ptr<const std::string>& bytes) {
  Heard heard;
  try {
    AudioReader reader(name, bytes);
    heard.rate = reader.info().sample_rate;
    heard.rms.resize(static_cast<std::size_t>(reader.info().channels));
    Planes block;
    double samples = 0;
    while (reader.read(block)) {
      samples += static_cast<double>(block.at(0).size());
      for (std::size_t c = 0; c < block.size(); ++c) {
        for (const float x : block[c]) heard.rms[c] += x * x;
      }
    }
    for (double& sum : heard.rms) sum = std::sqrt(sum / samples);
    heard.seconds = samples / heard.rate;
  } catch (const Error& error) {
    heard.error = error.what();
    EXPECT_EQ(heard.error.find('\n'), std::string::npos) << heard.error;
    EXPECT_EQ(error.code(), Code::kData) << heard.error;
  }
  return heard;
}

/// Compares with PyAV's samples. Its FFmpeg is newer: lossy codecs may round
/// otherwise, and a packet more or less at an end is no matter.
TEST(MediaFiles, EveryContainerSoundsAsItDoesToPyAv) {
  std::ifstream in(PENSTOCK_SOURCE_DIR "/tests/golden/audio/containers.json");
  int heard_count = 0;
  for (const auto& row : nlohmann::json::parse(in)) {
    const std::string name = row["file"];
    const Heard heard = hear((media_folder() / name).string(), nullptr);
    if (!row.contains("rate")) {
      EXPECT_THAT(heard.error, testing::HasSubstr("no audio track")) << name;
      continue;
    }
    ASSERT_EQ(heard.error, "") << name;
    EXPECT_EQ(heard.rate, row["rate"]) << name;
    ASSERT_EQ(heard.rms.size(), row["channels"]) << name;
    EXPECT_NEAR(heard.seconds, row["samples"].get<double>() / heard.rate, 0.06)
        << name;
    for (std::size_t c = 0; c < heard.rms.size(); ++c) {
      const double want = row["rms"][c];
      EXPECT_NEAR(heard.rms[c], want, 2e-3 * want + 1e-6) << name;
    }
    ++heard_count;
  }
  EXPECT_GE(heard_count, 30);
}

/// Each file cut, with bits turned over and with a part gone: it is read or
/// refused in one line, and nothing else happens.
TEST(MediaFiles, DamagedFilesAreReadOrRefused) {
  std::mt19937 random(7);
  int refused = 0;
  int tried = 0;
  for (const char* folder : {"iscc-samples/audio", "iscc-samples/video",
                             "pocketsphinx-testdata/librivox"}) {
    for (const auto& path : files(folder)) {
      const std::string whole = bytes_of(path);
      for (int kind = 0; kind < kWaysToSpoil; ++kind) {
        const std::string bytes = spoilt(whole, kind, random);
        ++tried;
        refused += hear(path.string(), shared(bytes)).error.empty() ? 0 : 1;
      }
    }
  }
  std::cout << refused << " of " << tried << " damaged files refused\n";
  EXPECT_GE(tried, 150);
  EXPECT_GE(refused, tried / 2);
}

}  // namespace
}  // namespace penstock::media
