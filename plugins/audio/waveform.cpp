#include "audio/waveform.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "lib/media/missing.h"
#include "lib/sound/recording_params.h"
#include "lib/sound/sound.h"
#include "penstock/keys.h"
#include "penstock/media.h"

namespace penstock::audio {
namespace {

/// As wav2vec2 hears it: mean 0, variance 1.
void normalize(std::vector<float>& samples) {
  double sum = 0;
  double squares = 0;
  for (const float x : samples) sum += x;
  const auto count = static_cast<double>(samples.size());
  const double mean = sum / count;
  for (const float x : samples) squares += (x - mean) * (x - mean);
  const double scale = 1 / std::sqrt(squares / count + 1e-7);
  for (float& x : samples) x = static_cast<float>((x - mean) * scale);
}

struct Samples {
  std::vector<float> values;
  std::int64_t rate = 0;
  double begin = 0;  ///< on the recording's clock
  std::vector<std::string> warnings;
};

Samples read(const Media& media, const Waveform::Params& how,
             const std::stop_token& stop) {
  const std::string path = media.bytes ? media.name : media_path(media);
  const auto sound = open_sound({.path = path,
                                 .bytes = media.bytes,
                                 .begin = media.begin,
                                 .end = media.end},
                                {.rate = how.sample_rate,
                                 .resampler = how.resampler,
                                 .channel = how.channel,
                                 .audio = audio_options(how, how.raw_format)});
  Samples all{.values = {},
              .rate = sound->rate(),
              .begin = sound->begin(),
              .warnings = {}};
  while (sound->read(all.values)) {
    if (stop.stop_requested()) throw Cancelled();
  }
  if (all.values.empty()) {
    throw media::NoTrack(str("'", media.name, "' has no sound between ",
                             media.begin, " and ", media.end, " s"));
  }
  all.warnings = sound->warnings();
  return all;
}

at::Tensor to_tensor(std::vector<float> samples) {
  auto kept = std::make_shared<std::vector<float>>(std::move(samples));
  return at::from_blob(
      kept->data(), {static_cast<std::int64_t>(kept->size())}, [kept](void*) {},
      at::kFloat);
}

}  // namespace

void Waveform::declare(Declaration<Waveform>& d) {
  d.doc("The sound of any file as one channel at one rate, by FFmpeg")
      .input(str("audio: media{", kRecordings, "}"))
      .output("waveform: f32[T]{mono}")
      .makes(kSampleRate, kAudioSeconds, kAudioBegin)
      .light();
  d.param("sample_rate", &Params::sample_rate,
          "samples per second of the result; 0: as in the file")
      .range(0, 768000);
  d.param(
       "resampler", &Params::resampler,
       "sinc: the same numbers as torchaudio; swresample: the same as FFmpeg")
      .choices({"sinc", "swresample"});
  d.param("normalize", &Params::normalize,
          "unit_variance: shift and scale to mean 0 and variance 1, as "
          "wav2vec2 expects")
      .choices({"none", "unit_variance"});
  declare_recording(d,
                    "how to read bytes without a header; none: they have one");
  d.param("max_seconds", &Params::max_seconds,
          "longest sound in seconds; a longer one is refused")
      .range(0.001, 1e6)
      .per_request();
}

void Waveform::preprocess(const Request& request, Item in,
                          ItemSink& out) const {
  const auto& how = params<Params>(*this, request);
  const Media media = media_input(request, "audio");
  std::optional<Samples> found;
  media::read_if_any(how.missing, out,
                     [&] { found = read(media, how, request.stop); });
  if (!found) return;
  Samples& sound = *found;
  for (std::string& text : sound.warnings) out.warn(std::move(text));
  if (how.normalize == "unit_variance") normalize(sound.values);
  set(in.notes, kSampleRate, sound.rate);
  set(in.notes, kAudioSeconds,
      static_cast<double>(sound.values.size()) /
          static_cast<double>(sound.rate));
  if (sound.begin > 0) set(in.notes, kAudioBegin, sound.begin);
  in.inputs.emplace_back("waveform", to_tensor(std::move(sound.values)));
  out.push(std::move(in));
}

}  // namespace penstock::audio
