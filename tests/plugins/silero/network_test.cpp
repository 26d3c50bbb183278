// The network against silero-vad's own, on every clip of the golden file.
#include "silero/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "lib/media/audio_reader.h"
#include "penstock/models.h"
#include "penstock/pipeline.h"
#include "silero/windows.h"
#include "tests/plugins/audio/support.h"

namespace penstock::silero {
namespace {

/// The clips have one channel at 16 kHz.
at::Tensor hear(const std::string& name) {
  media::AudioOptions options;
  if (name.ends_with(".raw")) options.format = {"s16le", 16000, 1};
  media::AudioReader reader((cache_folder() / "media" / name).string(), nullptr,
                            options);
  std::vector<float> all;
  media::Planes block;
  while (reader.read(block)) {
    all.insert(all.end(), block[0].begin(), block[0].end());
  }
  return audio::to_tensor(all);
}

double largest_difference(const Network& network, const at::Tensor& sound,
                          const at::Tensor& want, std::int64_t block) {
  Memory memory;
  double worst = 0;
  for (std::int64_t at = 0; at < want.size(0); at += block) {
    const std::int64_t count = std::min(block, want.size(0) - at);
    const auto got = network.run(windows(sound, network, at, count), memory);
    worst = std::max(worst, audio::distance(audio::to_tensor(got),
                                            want.narrow(0, at, count)));
  }
  return worst;
}

TEST(Network, GivesTheReferencesProbabilities) {
  const WeightFile file = WeightFile::open(resolve_model("silero-vad"));
  const auto rows = audio::golden_json("silero/clips.json");
  std::int64_t total = 0;
  for (const auto& row : rows) total += row["windows"].get<std::int64_t>();
  const auto every = audio::golden_floats("silero/probabilities.f32", {total});
  for (const auto& row : rows) {
    const std::int64_t rate = row["rate"];
    const Network network(file, rate);
    auto sound = hear(row["file"]);
    if (rate == 8000) {
      sound = sound.slice(0, 0, sound.size(0), 2).contiguous();
    }
    const auto want = every.narrow(0, row["at"], row["windows"]);
    EXPECT_LE(largest_difference(network, sound, want, 1 << 20), 1e-4) << row;
    EXPECT_LE(largest_difference(network, sound, want, 7), 1e-4) << row;
  }
}

}  // namespace
}  // namespace penstock::silero
