#include "audio/waveform.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/plugins/audio/support.h"
#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::audio {
namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

Request request_of(const media::Wav& wav, double begin = 0, double end = 1e9) {
  Request request;
  Media media;
  media.name = "a.wav";
  media.bytes = media::shared(media::to_bytes(wav));
  media.begin = begin;
  media.end = end;
  request.inputs["audio"] = media;
  return request;
}

media::Wav counting(int samples, std::uint32_t rate = 16000) {
  std::vector<int> values(static_cast<std::size_t>(samples));
  std::iota(values.begin(), values.end(), 0);
  return {.channels = 1, .rate = rate, .data = media::int16_data(values)};
}

at::Tensor heard(const Texts& texts, const Request& request) {
  return get(run_stage<Waveform>(texts, request, {}).inputs, "waveform");
}

TEST(Waveform, ChannelsBecomeTheirMean) {
  const auto got =
      heard({}, request_of({.channels = 2,
                            .data = media::int16_data({100, 300, -7, 7})}));
  EXPECT_EQ(got[0].item<float>(), 200.0F / 32768);
  EXPECT_EQ(got[1].item<float>(), 0);
}

TEST(Waveform, SixChannelsAreMixedAsFFmpegDoes) {
  const auto one = [](std::size_t channel) {
    std::vector<int> samples(6);
    samples[channel] = 16384;
    return heard({}, request_of({.channels = 6,
                                 .data = media::int16_data(samples)}))[0]
        .item<float>();
  };
  EXPECT_NEAR(one(0), 0.5 * 0.2071, 1e-4);
  EXPECT_NEAR(one(2), 0.5 * 0.2929, 1e-4);  // the centre: speech
  EXPECT_EQ(one(3), 0);                     // the LFE
  EXPECT_NEAR(one(5), 0.5 * 0.1464, 1e-4);
}

TEST(Waveform, OneChannelMayBeHeardAlone) {
  const auto stereo =
      request_of({.channels = 2, .data = media::int16_data({100, 300, -7, 7})});
  EXPECT_EQ(heard({{"channel", "2"}}, stereo)[0].item<float>(), 300.0F / 32768);
  EXPECT_EQ(heard({{"channel", "1"}}, stereo)[1].item<float>(), -7.0F / 32768);
  EXPECT_THROW((void)heard({{"channel", "3"}}, stereo), Error);
}

Kept kept(const Texts& texts, Request request) {
  const auto params = params_of<Waveform>(texts);
  const Waveform stage(*static_cast<const Waveform::Params*>(params.get()));
  request.checked = {params};
  Kept kept;
  stage.preprocess(request, {}, kept);
  return kept;
}

TEST(Waveform, TellsOfChannelsThatCancelEachOther) {
  const auto opposite = request_of(
      {.channels = 2, .data = media::int16_data({100, -100, -7, 7})});
  EXPECT_THAT(kept({}, opposite).warnings,
              ::testing::ElementsAre(::testing::HasSubstr("opposite phase")));
  EXPECT_TRUE(kept({{"channel", "1"}}, opposite).warnings.empty());
}

Request film_of(const media::Film& film) {
  Request request;
  Media media;
  media.name = "a film";
  media.bytes = media::shared(media::to_bytes(film));
  request.inputs["audio"] = media;
  return request;
}

TEST(Waveform, SoundThatBeginsLateSaysWhen) {
  Request film =
      film_of({.times = {0, 1000, 2000, 3000},
               .sound = {.samples = media::even_sound(1), .begin = 1500}});
  const auto item = run_stage<Waveform>({}, film, {});
  EXPECT_NEAR(std::get<double>(item.notes.at("audio_begin")), 1.5, 0.002);
  // Seconds of a film are those of its clock.
  auto& range = std::get<Media>(film.inputs["audio"]);
  range.begin = 1;
  range.end = 2;
  const auto piece = run_stage<Waveform>({}, film, {});
  EXPECT_EQ(get(piece.inputs, "waveform").size(0), 8000);
  EXPECT_NEAR(std::get<double>(piece.notes.at("audio_begin")), 1.5, 0.002);
}

TEST(Waveform, AFilmWithoutSoundIsAnErrorOrTold) {
  EXPECT_THROW((void)kept({}, film_of({})), Error);
  const Kept none = kept({{"missing", "skip"}}, film_of({}));
  EXPECT_TRUE(none.items.empty());
  EXPECT_THAT(none.warnings, ::testing::ElementsAre(::testing::HasSubstr(
                                 "'a film' has no audio track")));
  // What is damaged or no film stays an error.
  Request bad = film_of({});
  std::get<Media>(bad.inputs["audio"]).bytes = media::shared("no film");
  EXPECT_THROW((void)kept({{"missing", "skip"}}, bad), Error);
}

TEST(Waveform, ARangeOfSecondsIsCutOut) {
  const auto got = heard({}, request_of(counting(16000), 0.25, 0.5));
  ASSERT_EQ(got.size(0), 4000);
  EXPECT_EQ(got[0].item<float>(), 4000.0F / 32768);
}

TEST(Waveform, TellsRateAndLength) {
  const auto item = run_stage<Waveform>({{"sample_rate", "0"}},
                                        request_of(counting(4000, 8000)), {});
  EXPECT_EQ(std::get<std::int64_t>(item.notes.at("sample_rate")), 8000);
  EXPECT_EQ(std::get<double>(item.notes.at("audio_seconds")), 0.5);
}

TEST(Waveform, IsResampled) {
  EXPECT_EQ(heard({}, request_of(counting(4410, 44100))).size(0), 1600);
  EXPECT_NEAR(static_cast<double>(heard({{"resampler", "swresample"}},
                                        request_of(counting(4410, 44100)))
                                      .size(0)),
              1600, 40);
}

TEST(Waveform, UnitVarianceIsWav2vec2s) {
  const auto sound =
      to_tensor(noise(20000, 11)) * at::linspace(0, 1, 20000, at::kFloat);
  const auto first = sound.narrow(0, 0, 1000).contiguous();
  const std::string data(static_cast<const char*>(first.data_ptr()),
                         first.nbytes());
  const auto got = heard({{"normalize", "unit_variance"}},
                         request_of({.form = 3, .bits = 32, .data = data}));
  EXPECT_LE(distance(got, golden_floats("audio/wav2vec2.f32", {1000})), 1e-5);
}

TEST(Waveform, SaysWhatIsMissing) {
  try {
    (void)heard({}, Request{});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no input 'audio'"));
  }
  EXPECT_THROW((void)heard({}, request_of(counting(1600), 5, 6)), Error);
}

TEST(Waveform, ACancelledRequestStopsReading) {
  std::stop_source stop;
  stop.request_stop();
  Request request = request_of(counting(1600));
  request.stop = stop.get_token();
  EXPECT_THROW((void)heard({}, request), Cancelled);
}

}  // namespace
}  // namespace penstock::audio
