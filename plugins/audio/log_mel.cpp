#include "audio/log_mel.h"

#include <algorithm>
#include <map>

#include "penstock/keys.h"

namespace penstock::audio {
namespace {

using Params = LogMel::Params;

template <class T, class U>
void take(T& to, U given) {
  if (given >= 0) to = given;
}
template <class T>
void take(T& to, const std::string& given,
          const std::map<std::string, T>& meanings) {
  if (given != "auto") to = meanings.at(given);
}

const std::map<std::string, bool> kYesNo = {{"yes", true}, {"no", false}};

Conventions conventions_of(const Params& p) {
  Conventions c = preset(p.preset);
  take(c.sample_rate, p.sample_rate);
  take(c.fft, p.fft);
  // What was not said follows what was.
  if (p.fft >= 0) c.window = c.span = c.fft;
  take(c.window, p.window);
  if (p.window >= 0 && !c.is_centred) c.span = c.window;
  take(c.span, p.span);
  take(c.hop, p.hop);
  take(c.is_centred, p.centre, kYesNo);
  take(c.drop_last, p.drop_last, kYesNo);
  take(c.emphasis, p.pre_emphasis,
       {{"none", Emphasis::kNone},
        {"htk", Emphasis::kHtk},
        {"plain", Emphasis::kPlain}});
  take(c.emphasis_factor, p.pre_emphasis_factor);
  take(c.power, p.power);
  take(c.mels, p.mels);
  take(c.scale, p.mel_scale,
       {{"slaney", MelScale::kSlaney}, {"htk", MelScale::kHtk}});
  take(c.norm, p.mel_norm,
       {{"slaney", MelNorm::kSlaney}, {"none", MelNorm::kNone}});
  take(c.low, p.low);
  take(c.high, p.high);
  take(c.floor, p.floor);
  take(c.log, p.log,
       {{"none", Log::kNone}, {"log10", Log::kTen}, {"ln", Log::kNatural}});
  take(c.scaling, p.scaling,
       {{"none", Scaling::kNone}, {"whisper", Scaling::kWhisper}});
  take(c.mels_first, p.order, {{"mels_first", true}, {"frames_first", false}});
  take(c.pad_to, p.pad_to);
  take(c.pad_multiple, p.pad_multiple);
  return c;
}

void declare_frames(Declaration<LogMel>& d) {
  d.param("preset", &Params::preset,
          "the model whose conventions all other params start from")
      .choices({"whisper", "gemma3n"});
  d.param("sample_rate", &Params::sample_rate,
          "samples per second; -1: as the preset")
      .range(-1, 768000);
  d.param("fft", &Params::fft, "size of the FFT in samples; -1: as the preset")
      .range(-1, 1 << 20);
  d.param("window", &Params::window,
          "length of the periodic Hann window in samples; -1: as the preset")
      .range(-1, 1 << 20);
  d.param("hop", &Params::hop,
          "samples from one frame to the next; -1: as the preset")
      .range(-1, 1 << 20);
  d.param("span", &Params::span,
          "samples that must be left for one more frame; -1: as the preset")
      .range(-1, 1 << 20);
  d.param("centre", &Params::centre,
          "centre each frame on its position and mirror the sound at both ends")
      .choices({"auto", "yes", "no"});
  d.param("drop_last", &Params::drop_last, "drop the last frame")
      .choices({"auto", "yes", "no"});
  d.param("pre_emphasis", &Params::pre_emphasis,
          "subtract a share of the sample before from each sample: htk starts "
          "anew in every frame, plain runs across frames")
      .choices({"auto", "none", "htk", "plain"});
  d.param("pre_emphasis_factor", &Params::pre_emphasis_factor,
          "the share that pre_emphasis subtracts; -1: as the preset")
      .range(-1, 1);
  d.param("pad_to", &Params::pad_to,
          "pad the sound with silence to this many samples; -1: as the preset")
      .range(-1, 1e9);
  d.param("pad_multiple", &Params::pad_multiple,
          "then pad it to a multiple of this many samples; -1: as the preset")
      .range(-1, 1e9);
}

void declare_bands(Declaration<LogMel>& d) {
  d.param(
       "power", &Params::power,
       "exponent of the magnitudes: 1 magnitude, 2 energy; -1: as the preset")
      .range(-1, 2);
  d.param("mels", &Params::mels, "bands; -1: preset's").range(-1, 4096);
  d.param("mel_scale", &Params::mel_scale, "formula that turns Hz into mels")
      .choices({"auto", "slaney", "htk"});
  d.param(
       "mel_norm", &Params::mel_norm,
       "how the mel filters are scaled; slaney: every filter has the same area")
      .choices({"auto", "slaney", "none"});
  d.param("low", &Params::low,
          "frequency in Hz where the lowest filter begins; -1: as the preset")
      .range(-1, 384000);
  d.param("high", &Params::high,
          "frequency in Hz where the highest filter ends; -1: as the preset")
      .range(-1, 384000);
  d.param("floor", &Params::floor,
          "smallest energy that enters the logarithm; -1: as the preset")
      .range(-1, 1e9);
  d.param("log", &Params::log, "base of the logarithm")
      .choices({"auto", "log10", "ln", "none"});
  d.param("scaling", &Params::scaling,
          "what is done to the logarithms; whisper: raise them to the largest "
          "minus 8, then (x + 4) / 4")
      .choices({"auto", "whisper", "none"});
  d.param("order", &Params::order,
          "which dimension of the features comes first")
      .choices({"auto", "mels_first", "frames_first"});
  d.param("keep_waveform", &Params::keep_waveform,
          "pass the waveform on beside the features");
}

}  // namespace

void LogMel::declare(Declaration<LogMel>& d) {
  d.doc("Log-mel spectrogram, every convention a param")
      .input("waveform: f32[T]{mono}")
      .output("features: f32[M,F]")
      .output("mask: bool[F]")
      .uses(kSampleRate)
      .light();
  declare_frames(d);
  declare_bands(d);
  d.check([](const Params& p) {
    const Conventions c = conventions_of(p);
    if (c.hop < 1 || c.fft < 2 || c.window < 2 || c.mels < 1 ||
        c.sample_rate < 1 || c.pad_multiple < 1) {
      return std::string(
          "fft, window, hop, mels, sample_rate and pad_multiple are at least "
          "1, the first two at least 2");
    }
    if (c.power != 1 && c.power != 2) return std::string("power: 1 or 2");
    return conflict(c);
  });
}

LogMel::LogMel(const Params& params)
    : conventions_(conventions_of(params)),
      keep_waveform_(params.keep_waveform),
      spectrogram_(conventions_) {}

void LogMel::preprocess(const Request& /*request*/, Item in,
                        ItemSink& out) const {
  const std::int64_t rate =
      get_or(in.notes, kSampleRate, conventions_.sample_rate);
  if (rate != conventions_.sample_rate) {
    throw Error(Code::kData, str("the waveform has ", rate,
                                 " samples a second, the spectrogram is for ",
                                 conventions_.sample_rate));
  }
  const at::Tensor waveform = get(in.inputs, "waveform");
  const auto features = spectrogram_.of(waveform);
  const std::int64_t frames = features.size(conventions_.mels_first ? 1 : 0);
  if (!keep_waveform_) {
    std::erase_if(in.inputs,
                  [](const auto& input) { return input.first == "waveform"; });
  }
  in.inputs.emplace_back("features", features);
  in.inputs.emplace_back("mask", spectrogram_.mask(waveform.size(0), frames));
  out.push(std::move(in));
}

}  // namespace penstock::audio
