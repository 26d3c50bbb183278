// silero.listen against the stages that hear a whole recording at once.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "penstock/models.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"

namespace penstock::silero {
namespace {

const std::string kWhole =
    "[{use: audio.waveform}, {use: silero.gate, model: silero-vad, split: "
    "true}]";

/// Items that the preprocess stages make of a recording.
class Listening : public ::testing::Test {
 protected:
  /// Small products on a team that is disturbed take a hundred times as long.
  static void SetUpTestSuite() { set_threads(1); }

  std::vector<Item> hear(const std::string& stages, const Value& audio,
                         const std::map<std::string, Raw>& options = {}) {
    const auto path =
        std::filesystem::path(::testing::TempDir()) / "penstock_listen.yaml";
    std::ofstream(path) << "version: 1\ndevice: cpu\npreprocess: " << stages
                        << R"(
batch: {use: core.ragged}
forward: {use: silero.forward, model: silero-vad}
decode: {use: silero.decode}
postprocess: {use: silero.segments}
)";
    Request request;
    request.inputs["audio"] = audio;
    request.options = options;
    PreprocessOnly pipeline(load_pipeline_file(path, plugins_));
    return pipeline.run(std::move(request));
  }
  static std::string media(const std::string& name) {
    return (cache_folder() / "media" / name).string();
  }
  static void expect_same(const std::vector<Item>& got,
                          const std::vector<Item>& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].notes, wanted[i].notes);
      EXPECT_TRUE(at::equal(get(got[i].inputs, "waveform"),
                            get(wanted[i].inputs, "waveform")))
          << i;
    }
  }

  PluginHost plugins_{{PENSTOCK_PLUGINS}};
};

std::string listen(const std::string& more) {
  return "{use: silero.listen, model: silero-vad, pad_ms: 30" + more + "}";
}

TEST_F(Listening, HearsTheStretchesOfAWholeRecording) {
  for (const char* name :
       {"asterisk-sounds/demo-instruct.g722",
        "asterisk-sounds/demo-congrats.g722", "asterisk-sounds/tt-monkeys.g722",
        "pocketsphinx-testdata/librivox/"
        "sense_and_sensibility_01_austen_64kb-0890.wav"}) {
    SCOPED_TRACE(name);
    for (const char* longest : {"30", "4"}) {
      const std::map<std::string, Raw> most{
          {"max_speech_seconds", raw_from_text(longest)}};
      expect_same(hear(listen(", join: true"), media(name), most),
                  hear(kWhole, media(name), most));
    }
  }
}

/// Bytes in pieces of changing, odd lengths.
class Pieces final : public Source {
 public:
  explicit Pieces(std::string bytes) : bytes_(std::move(bytes)) {}
  std::optional<Value> read() override {
    if (at_ == bytes_.size()) return std::nullopt;
    length_ = length_ * 7 % 9973 + 1;
    std::string piece = bytes_.substr(at_, length_);
    at_ += piece.size();
    return Value(std::move(piece));
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0, length_ = 3;
};

TEST_F(Listening, HearsLiveSoundAsItsRecording) {
  const std::string path = media("pocketsphinx-testdata/numbers.raw");
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  const std::map<std::string, Raw> raw{{"raw_format", raw_from_text("s16le")}};
  const auto wanted = hear(listen(""), path, raw);
  ASSERT_GE(wanted.size(), 1);
  const std::shared_ptr<Source> live = std::make_shared<Pieces>(bytes.str());
  expect_same(hear(listen(""), live), wanted);
  // Two channels give their mean, another rate nearly the same segments.
  std::string twice;
  for (std::size_t i = 0; i + 1 < bytes.str().size(); i += 2) {
    twice += bytes.str().substr(i, 2) + bytes.str().substr(i, 2);
  }
  const std::shared_ptr<Source> stereo = std::make_shared<Pieces>(twice);
  expect_same(hear(listen(""), stereo, {{"raw_channels", RawScalar{"2"}}}),
              wanted);
}

TEST_F(Listening, RefusesWhatItCannotHear) {
  const std::shared_ptr<Source> live = std::make_shared<Pieces>("abc");
  EXPECT_THROW((void)hear(listen(", raw_format: g722"), live), Error);
  EXPECT_THROW((void)hear(listen(""), media("skimage/chelsea.png")), Error);
  const std::shared_ptr<Source> nothing = std::make_shared<Pieces>("");
  EXPECT_TRUE(hear(listen(""), nothing).empty());
}

}  // namespace
}  // namespace penstock::silero
