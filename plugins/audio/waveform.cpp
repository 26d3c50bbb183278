#include "waveform.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "penstock/media.h"
#include "resampler.h"

namespace penstock::audio {
namespace {

media::AudioOptions options_of(const Waveform::Params& how) {
  media::AudioOptions options;
  if (how.raw_format != "none") {
    options.format.name = how.raw_format;
    options.format.sample_rate = how.raw_rate;
    options.format.channels = how.raw_channels;
  }
  options.is_strict = how.damaged == "refuse";
  options.limits.max_seconds = how.max_seconds;
  return options;
}

/// The mean of the channels.
void downmix(const media::Planes& planes, std::vector<float>& out) {
  out = planes.at(0);
  if (planes.size() == 1) return;
  for (std::size_t c = 1; c < planes.size(); ++c) {
    const auto& plane = planes[c];
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += plane[i];
  }
  const auto scale = 1.0F / static_cast<float>(planes.size());
  for (float& sample : out) sample *= scale;
}

/// Cuts the seconds [begin, end) out of pieces that come in order.
class Range {
 public:
  Range(const Media& media, int rate)
      : begin_(static_cast<std::int64_t>(std::llround(media.begin * rate))),
        end_(std::isinf(media.end)
                 ? INT64_MAX
                 : static_cast<std::int64_t>(std::llround(media.end * rate))) {}

  [[nodiscard]] std::span<const float> cut(const std::vector<float>& piece) {
    const auto size = static_cast<std::int64_t>(piece.size());
    const std::int64_t from = std::clamp(begin_ - at_, std::int64_t{0}, size);
    const std::int64_t to = std::clamp(end_ - at_, from, size);
    at_ += size;
    return std::span(piece).subspan(static_cast<std::size_t>(from),
                                    static_cast<std::size_t>(to - from));
  }
  [[nodiscard]] bool is_over() const { return at_ >= end_; }

 private:
  std::int64_t begin_, end_, at_ = 0;
};

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

struct Sound {
  std::vector<float> samples;
  std::int64_t rate = 0;
};

Sound read(const Media& media, const Waveform::Params& how,
           const std::stop_token& stop) {
  const std::string path = media.bytes ? media.name : media_path(media);
  media::AudioReader reader(path, media.bytes, options_of(how));
  const int rate = reader.info().sample_rate;
  const std::int64_t wanted = how.sample_rate == 0 ? rate : how.sample_rate;
  const auto resampler = how.resampler == "sinc" || wanted == rate
                             ? make_sinc_resampler(rate, wanted)
                             : make_swr_resampler(rate, wanted);
  Range range(media, rate);
  std::vector<float> samples;
  std::vector<float> mono;
  const double seconds = std::min(reader.info().seconds, how.max_seconds);
  samples.reserve(
      static_cast<std::size_t>((seconds + 1) * static_cast<double>(wanted)));
  media::Planes block;
  while (!range.is_over() && reader.read(block)) {
    if (stop.stop_requested()) throw Cancelled();
    downmix(block, mono);
    resampler->push(range.cut(mono), samples);
  }
  resampler->finish(samples);
  if (samples.empty()) {
    throw Error(Code::kData, str("'", media.name, "' has no sound between ",
                                 media.begin, " and ", media.end, " s"));
  }
  return {.samples = std::move(samples), .rate = wanted};
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
      .input(
          "audio: media{3g2,3gp,aac,ac3,aif,aiff,amr,ape,asf,au,avi,caf,dts,"
          "f4v,flac,flv,g722,m4a,m4v,mka,mkv,mov,mp3,mp4,mpeg,mpg,oga,ogg,ogv,"
          "opus,raw,rm,swf,tta,ts,vob,voc,w64,wav,webm,wma,wmv,wv}")
      .output("waveform: f32[T]{mono}");
  d.param("sample_rate", &Params::sample_rate,
          "samples a second; 0: as the file has them")
      .range(0, 768000);
  d.param("resampler", &Params::resampler,
          "sinc: torchaudio's numbers; swresample: FFmpeg's")
      .choices({"sinc", "swresample"});
  d.param("normalize", &Params::normalize,
          "unit_variance: mean 0 and variance 1, as wav2vec2 wants it")
      .choices({"none", "unit_variance"});
  d.param("raw_format", &Params::raw_format,
          "how to read bytes without a header; none: they have one")
      .choices({"none", "s16le", "f32le", "u8", "g722"})
      .per_request();
  d.param("raw_rate", &Params::raw_rate,
          "samples a second of bytes without a header")
      .range(1, 768000)
      .per_request();
  d.param("raw_channels", &Params::raw_channels,
          "channels of bytes without a header")
      .range(1, 64)
      .per_request();
  d.param("damaged", &Params::damaged,
          "skip: leave damaged places out, read what is left of a cut file")
      .choices({"refuse", "skip"})
      .per_request();
  d.param("max_seconds", &Params::max_seconds, "longest sound that is read")
      .range(0.001, 1e6)
      .per_request();
}

void Waveform::preprocess(const Request& request, Sample in,
                          SampleSink& out) const {
  const auto& how = params<Params>(*this, request);
  const Media media = media_input(request, "audio");
  Sound sound = read(media, how, request.stop);
  if (how.normalize == "unit_variance") normalize(sound.samples);
  in.notes["sample_rate"] = sound.rate;
  in.notes["audio_seconds"] = static_cast<double>(sound.samples.size()) /
                              static_cast<double>(sound.rate);
  if (media.begin > 0) in.notes["audio_begin"] = media.begin;
  in.inputs.emplace_back("waveform", to_tensor(std::move(sound.samples)));
  out.push(std::move(in));
}

}  // namespace penstock::audio
