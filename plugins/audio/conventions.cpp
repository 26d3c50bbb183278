#include "audio/conventions.h"

#include "penstock/error.h"

namespace penstock::audio {
namespace {

/// openai/whisper's audio.py; transformers' WhisperFeatureExtractor.
Conventions whisper() {
  return {.drop_last = true,
          .scale = MelScale::kSlaney,
          .norm = MelNorm::kSlaney,
          .scaling = Scaling::kWhisper,
          .pad_to = 480000};
}

/// transformers' Gemma3nAudioFeatureExtractor.
Conventions gemma3n() {
  return {.fft = 1024,
          .window = 512,
          .span = 513,
          .is_centred = false,
          .emphasis = Emphasis::kHtk,
          .emphasis_factor = 0.97,
          .power = 1,
          .mels = 128,
          .low = 125,
          .high = 7600,
          .floor = 1e-5,
          .log = Log::kNatural,
          .mels_first = false,
          .pad_multiple = 128};
}

}  // namespace

Conventions preset(const std::string& name) {
  if (name == "whisper") return whisper();
  if (name == "gemma3n") return gemma3n();
  throw Error(Code::kInternal, "no preset '" + name + "'");
}

std::string conflict(const Conventions& c) {
  if (c.window > c.fft) {
    return str("window: ", c.window, " samples do not fit into an FFT of ",
               c.fft);
  }
  if (c.span < c.window) {
    return str("span: ", c.span, " is less than the window of ", c.window);
  }
  if (c.is_centred &&
      (c.window != c.fft || c.span != c.fft || c.emphasis != Emphasis::kNone)) {
    return "centre: frames that stand around their place take the whole FFT "
           "as window and span, and no pre-emphasis";
  }
  const double most = static_cast<double>(c.sample_rate) / 2;
  if (c.low >= c.high || c.high > most) {
    return str("low, high: ", c.low, " to ", c.high, " Hz; expected up to ",
               most, ", half the sample rate");
  }
  return "";
}

}  // namespace penstock::audio
