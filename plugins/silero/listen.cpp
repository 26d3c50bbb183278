#include "silero/listen.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <optional>

#include "lib/media/missing.h"
#include "lib/sound/recording_params.h"
#include "lib/sound/sound.h"
#include "penstock/media.h"
#include "silero/segmenter.h"
#include "silero/windows.h"

namespace penstock::silero {
namespace {

constexpr std::int64_t kRate = 16000;
/// Windows at once: half a second, so that live speech is found soon.
constexpr std::int64_t kWindowsAtOnce = 16;

audio::SoundOptions options_of(const Listen::Params& how, bool is_live) {
  const bool has_none = how.raw_format == "none";
  audio::SoundOptions options;
  options.rate = kRate;
  options.channel = how.channel;
  options.audio =
      audio::audio_options(how, is_live && has_none ? "s16le" : how.raw_format);
  return options;
}

std::unique_ptr<audio::Sound> open_sound(const Request& request,
                                         const Listen::Params& how) {
  const auto found = request.inputs.find("audio");
  if (found != request.inputs.end()) {
    if (const auto* live =
            std::get_if<std::shared_ptr<Source>>(&found->second)) {
      const auto read = [source = *live]() -> std::optional<std::string> {
        auto piece = source->read();
        if (!piece) return std::nullopt;
        if (auto* bytes = std::get_if<std::string>(&*piece)) {
          return std::move(*bytes);
        }
        throw Error(Code::kData, "live sound comes in pieces of bytes");
      };
      return audio::live_sound(read, options_of(how, /*is_live=*/true));
    }
  }
  const Media media = media_input(request, "audio");
  return audio::open_sound(
      {.path = media.bytes ? media.name : media_path(media),
       .bytes = media.bytes,
       .begin = media.begin,
       .end = media.end},
      options_of(how, /*is_live=*/false));
}

/// Samples that may still be part of a segment.
class SpeechBuffer {
 public:
  SpeechBuffer(const Network& network, const SegmentRules& rules)
      : network_(network), segmenter_(rules, kRate, network.window()) {}

  /// Samples, to which the caller appends new ones.
  [[nodiscard]] std::vector<float>& samples() { return samples_; }
  /// Appends the segments that are certain now.
  void find_speech(std::vector<Segment>& found) {
    const std::int64_t window = network_.window();
    while (length() - scanned_ >= kWindowsAtOnce * window)
      find_speech(kWindowsAtOnce, found);
  }
  void finish(std::vector<Segment>& found) {
    const std::int64_t window = network_.window();
    find_speech(found);
    find_speech((length() - scanned_ + window - 1) / window, found);
    segmenter_.finish(length(), found);
  }
  [[nodiscard]] at::Tensor cut(const Segment& part) const {
    const auto from = samples_.begin() + (part.begin - begin_);
    auto kept = std::make_shared<std::vector<float>>(
        from, from + (part.end - part.begin));
    return at::from_blob(
        kept->data(), {part.end - part.begin}, [kept](void*) {}, at::kFloat);
  }
  /// Number of samples that came until now.
  [[nodiscard]] std::int64_t length() const {
    return begin_ + static_cast<std::int64_t>(samples_.size());
  }
  /// Drops samples before `wanted` that no later segment can contain.
  void forget(std::int64_t wanted) {
    std::int64_t keep = std::min(segmenter_.earliest(), wanted);
    keep = std::min(keep, scanned_ - network_.window());
    if (keep - begin_ < kRate) return;  // seldom, it moves the rest
    samples_.erase(samples_.begin(), samples_.begin() + (keep - begin_));
    begin_ = keep;
  }

 private:
  void find_speech(std::int64_t count, std::vector<Segment>& found) {
    if (count == 0) return;
    // The window before gives the first one its context.
    const std::int64_t window = network_.window();
    const std::int64_t from = std::max<std::int64_t>(0, scanned_ - window);
    const std::int64_t to = std::min(length(), scanned_ + count * window);
    const auto sound = at::from_blob(samples_.data() + (from - begin_),
                                     {to - from}, at::kFloat);
    for (const float p : network_.run(
             windows(sound, network_, (scanned_ - from) / window, count),
             memory_)) {
      segmenter_.push(p, found);
    }
    scanned_ += count * window;
  }
  const Network& network_;
  Segmenter segmenter_;
  Memory memory_;
  std::vector<float> samples_;
  std::int64_t begin_ = 0;    ///< of samples_ in the whole
  std::int64_t scanned_ = 0;  ///< samples, whole windows
};

/// Joins neighbours up to a length, where that is wanted, and hands on.
class SegmentJoiner {
 public:
  /// `begin`: seconds of the recording before the first item.
  SegmentJoiner(SpeechBuffer& buffer, Item in, ItemSink& out, double begin,
                std::int64_t join)
      : buffer_(buffer),
        in_(std::move(in)),
        out_(out),
        begin_(begin),
        join_(join) {}

  void take(std::vector<Segment>& found) {
    for (const Segment& segment : found) {
      if (held_ && segment.end - held_->begin <= join_) {
        held_->end = segment.end;
      } else {
        give();
        held_ = segment;
      }
    }
    found.clear();
    if (join_ == 0) give();
    buffer_.forget(held_ ? held_->begin : INT64_MAX);
  }
  void give() {
    if (!held_) return;
    Item item;
    item.tokens = in_.tokens;
    item.notes = in_.notes;
    item.inputs = in_.inputs;
    set(item.notes, kSampleRate, kRate);
    set(item.notes, kAudioBegin,
        begin_ + static_cast<double>(held_->begin) / kRate);
    set(item.notes, kAudioSeconds,
        static_cast<double>(held_->end - held_->begin) / kRate);
    item.inputs.emplace_back("waveform", buffer_.cut(*held_));
    held_.reset();
    out_.push(std::move(item));
  }

 private:
  SpeechBuffer& buffer_;
  Item in_;
  ItemSink& out_;
  double begin_;
  std::int64_t join_;  ///< samples; 0: not
  std::optional<Segment> held_;
};

}  // namespace

void Listen::declare(Declaration<Listen>& d) {
  d.doc("Hears sound as it comes and gives each segment of speech by itself")
      .input(str("audio: media{live,", audio::kRecordings, "}"))
      .output("waveform: f32[T]{mono}")
      .uses(kAudioBegin)
      .makes(kSampleRate, kAudioBegin, kAudioSeconds);
  d.param("threshold", &Params::threshold,
          "probability from which a window counts as speech")
      .range(0, 1)
      .per_request();
  d.param("pad_ms", &Params::pad_ms,
          "milliseconds of sound kept before and after speech")
      .range(0, 5000)
      .per_request();
  d.param("max_speech_seconds", &Params::max_speech_seconds,
          "longer speech is split, at a pause where there is one")
      .range(1, 3600)
      .per_request();
  d.param("join", &Params::join,
          "join neighbouring segments up to max_speech_seconds: more context, "
          "later results")
      .per_request();
  audio::declare_recording(
      d,
      "how to read bytes without a header; none: they have one, live ones are "
      "s16le");
  d.param("max_seconds", &Params::max_seconds,
          "longest recording in seconds; a longer one is refused")
      .range(0.001, 1e6)
      .per_request();
}

Footprint Listen::memory(const StageContext& context) const {
  return networks_memory(context.model, kBlock);
}

void Listen::open(StageContext& context) {
  networks_ = open_networks(context.model);
}

void Listen::close() noexcept { networks_.clear(); }

void Listen::preprocess(const Request& request, Item in, ItemSink& out) const {
  const auto& how = params<Params>(*this, request);
  media::read_if_any(how.missing, out,
                     [&] { listen(request, how, std::move(in), out); });
}

void Listen::listen(const Request& request, const Params& how, Item in,
                    ItemSink& out) const {
  const auto sound = open_sound(request, how);
  SegmentRules rules;
  rules.threshold = how.threshold;
  rules.end_threshold = end_threshold_for(how.threshold);
  rules.pad_ms = how.pad_ms;
  rules.max_speech_s = how.max_speech_seconds;
  SpeechBuffer buffer(network_for(networks_, kRate), rules);
  const auto most = static_cast<std::int64_t>(how.max_speech_seconds * kRate);
  SegmentJoiner segments(buffer, std::move(in), out, sound->begin(),
                         how.join ? most : 0);
  std::vector<Segment> found;
  while (sound->read(buffer.samples())) {
    if (request.stop.stop_requested()) throw Cancelled();
    buffer.find_speech(found);
    segments.take(found);
  }
  buffer.finish(found);
  segments.take(found);
  segments.give();
  for (std::string& text : sound->warnings()) out.warn(std::move(text));
}

}  // namespace penstock::silero
