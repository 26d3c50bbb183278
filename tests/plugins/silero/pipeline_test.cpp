// pipelines/voice_activity.yaml as it stands: the reference's segments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "penstock/models.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "tests/plugins/audio/support.h"
#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::silero {
namespace {

class VoiceActivity : public testing::Test {
 protected:
  std::shared_ptr<Collector> submit(const std::string& name,
                                    const std::string& format) {
    Request request;
    request.id = name;
    request.inputs["audio"] = (cache_folder() / "media" / name).string();
    request.options["format"] = raw_from_text(format);
    if (name.ends_with(".raw")) {
      request.options["raw_format"] = raw_from_text("s16le");
    }
    auto sink = std::make_shared<Collector>();
    pipeline_.submit(std::move(request), sink);
    return sink;
  }

  PluginHost plugins_{{PENSTOCK_PLUGINS}};
  Pipeline pipeline_{load_pipeline_file(
      PENSTOCK_SOURCE_DIR "/pipelines/voice_activity.yaml", plugins_)};
};

TEST_F(VoiceActivity, SegmentsAreTheReferences) {
  const auto rows = audio::golden_json("silero/clips.json");
  std::vector<std::pair<nlohmann::json, std::shared_ptr<Collector>>> all;
  {
    const auto more = pipeline_.more_coming();
    for (const auto& row : rows) {
      if (row["rate"] == 16000)
        all.emplace_back(row, submit(row["file"], "json"));
    }
  }
  pipeline_.drain();
  ASSERT_GE(all.size(), 10U);
  for (const auto& [row, sink] : all) {
    ASSERT_FALSE(sink->wait().report.error)
        << sink->wait().report.error->what();
    const auto got = nlohmann::json::parse(sink->wait().text())["segments"];
    ASSERT_EQ(got.size(), row["segments"].size()) << row << sink->wait().text();
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i]["begin"].get<double>() * 16000,
                  row["segments"][i][0].get<double>(), 8.1);
      EXPECT_NEAR(got[i]["end"].get<double>() * 16000,
                  row["segments"][i][1].get<double>(), 8.1);
    }
  }
}

TEST_F(VoiceActivity, PiecesOfTheFileServeAnotherPipeline) {
  const auto sink = submit("asterisk-sounds/dir-intro.g722", "media");
  pipeline_.drain();
  std::vector<Media> media;
  for (const Value& value : sink->wait().pieces.at(0)) {
    if (const auto* one = std::get_if<Media>(&value)) media.push_back(*one);
  }
  ASSERT_EQ(media.size(), 2U);
  EXPECT_THAT(media[0].name, testing::EndsWith("dir-intro.g722"));
  EXPECT_EQ(media[0].begin, 2592.0 / 16000);
  EXPECT_EQ(media[1].end, 188384.0 / 16000);
}

/// goforward.raw as the sound of a film, which begins 1.5 s after the pictures.
TEST_F(VoiceActivity, SegmentsOfLateSoundAreOnTheFilmsClock) {
  const auto path =
      cache_folder() / "media/pocketsphinx-testdata/goforward.raw";
  media::Film film{.times = {0, 1000, 2000, 3000}, .sound = {.begin = 1500}};
  film.sound.samples.resize(std::filesystem::file_size(path) / 2);
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(film.sound.samples.data()),
            static_cast<std::streamsize>(film.sound.samples.size() * 2));
  for (const std::string format : {"text", "media"}) {
    Request request;
    request.id = "late";
    Media media;
    media.name = "late";
    media.bytes = media::shared(to_bytes(film));
    request.inputs["audio"] = media;
    request.options["format"] = raw_from_text(format);
    const auto sink = std::make_shared<Collector>();
    pipeline_.submit(std::move(request), sink);
    const Outcome& got = sink->wait();
    ASSERT_FALSE(got.report.error) << got.report.error->what();
    if (format == "text") {
      EXPECT_EQ(got.text(), "1.982 - 3.802");
      continue;
    }
    std::vector<Media> pieces;
    for (const Value& value : got.pieces.at(0)) {
      if (const auto* one = std::get_if<Media>(&value)) pieces.push_back(*one);
    }
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_NEAR(pieces[0].begin, 1.982, 0.001);
    EXPECT_NEAR(pieces[0].end, 3.802, 0.001);
  }
}

TEST_F(VoiceActivity, ABadFileFailsAlone) {
  const auto bad = submit("nowhere.wav", "text");
  const auto good = submit("pocketsphinx-testdata/goforward.raw", "text");
  pipeline_.drain();
  ASSERT_TRUE(bad->wait().report.error);
  EXPECT_EQ(bad->wait().report.error->code(), Code::kNotFound);
  EXPECT_EQ(good->wait().text(), "0.482 - 2.302");
}

}  // namespace
}  // namespace penstock::silero
