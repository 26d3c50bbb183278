// serve.yaml: what it sets, and all that is wrong with one at once.
#include "pipeline_serve/serve_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace penstock::serve {
namespace {

class ServeFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "mine.yaml") << "version: 1\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Options read(const std::string& text) {
    std::ofstream(folder_ / "serve.yaml") << text;
    Options options;
    read_serve_file(folder_ / "serve.yaml", options);
    return options;
  }
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("serve-file-" + std::to_string(::getpid()));
};

TEST_F(ServeFile, SetsWhatTheCommandLineSets) {
  const Options options = read(
      "pipelines:\n  chat: {file: mine.yaml, set: {batch.max_sequences: 16}}\n"
      "  speech: speech_to_text.yaml\nport: 0\nmax_queue: 3\n"
      "cors_origins: [http://a]\nidle_timeout: 1.5\ntrace: t.json\n");
  EXPECT_EQ(options.pipelines, (std::vector<std::string>{
                                   "chat=" + (folder_ / "mine.yaml").string(),
                                   "speech=speech_to_text.yaml"}));
  ASSERT_EQ(options.overrides.size(), 1U);
  EXPECT_EQ(options.overrides[0].key, "chat.batch.max_sequences");
  EXPECT_EQ(options.overrides[0].value, "16");
  EXPECT_EQ(options.address.port, 0);
  EXPECT_EQ(options.served.max_queue, 3);
  EXPECT_EQ(options.front.limits.idle_s, 1.5);
  EXPECT_EQ(options.trace, "t.json");
  EXPECT_EQ(options.front.origins, std::vector<std::string>{"http://a"});
}

TEST_F(ServeFile, TellsEveryFaultWithItsPlace) {
  try {
    read("pipelines: [a]\nport: 70000\nmax_quue: 3\n");
    FAIL();
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.problems().size(), 3U) << error.what();
    EXPECT_NE(error.problems()[0].find("serve.yaml:1:12"), std::string::npos);
    EXPECT_NE(error.problems()[1].find("0..65535"), std::string::npos);
    EXPECT_NE(error.problems()[2].find("max_queue"), std::string::npos);
  }
}

TEST_F(ServeFile, NeedsAFileOfEachPipeline) {
  EXPECT_THROW(read("pipelines: {a: {set: {x.y: 1}}}\n"), ConfigError);
  EXPECT_THROW(read("pipelines: {a: {file: b, fil: c}}\n"), ConfigError);
  EXPECT_THROW(read("- a\n"), ConfigError);
  Options unused;
  EXPECT_THROW(read_serve_file(folder_ / "none.yaml", unused), Error);
}

}  // namespace
}  // namespace penstock::serve
