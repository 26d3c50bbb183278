#include "silero/gate.h"

#include <algorithm>

#include "silero/windows.h"

namespace penstock::silero {
namespace {

/// Windows at once: little memory, however long the sound is.
constexpr std::int64_t kBlock = 512;

std::vector<Segment> find_speech(const at::Tensor& waveform,
                                 const Network& network, std::int64_t rate,
                                 const SegmentRules& rules,
                                 const std::stop_token& stop) {
  Segmenter segmenter(rules, rate, network.window());
  std::vector<Segment> found;
  Memory memory;
  const std::int64_t all = window_count(waveform, network);
  for (std::int64_t at = 0; at < all; at += kBlock) {
    if (stop.stop_requested()) throw Cancelled();
    const std::int64_t count = std::min(kBlock, all - at);
    for (const float p :
         network.run(windows(waveform, network, at, count), memory)) {
      segmenter.push(p, found);
    }
  }
  segmenter.finish(waveform.size(0), found);
  return found;
}

/// An item of the same notes and other inputs.
Item copy_of(const Item& from, const at::Tensor& waveform) {
  Item item;
  item.tokens = from.tokens;
  item.notes = from.notes;
  item.inputs = from.inputs;
  for (auto& [name, tensor] : item.inputs) {
    if (name == "waveform") tensor = waveform;
  }
  return item;
}

}  // namespace

std::vector<Segment> joined(const std::vector<Segment>& segments,
                            std::int64_t most) {
  std::vector<Segment> out;
  for (const Segment& segment : segments) {
    if (!out.empty() && segment.end - out.back().begin <= most) {
      out.back().end = segment.end;
    } else {
      out.push_back(segment);
    }
  }
  return out;
}

void Gate::declare(Declaration<Gate>& d) {
  d.doc("Lets only sound with speech through, found by Silero VAD")
      .output("waveform: f32[T]{mono}")
      .needs(kSampleRate)
      .uses(kAudioBegin)
      .makes(kAudioBegin, kAudioSeconds, kSpeech);
  d.param(
       "threshold", &Params::threshold,
       "probability from which a window counts as speech; 0: everything does")
      .range(0, 1)
      .per_request();
  d.param("split", &Params::split,
          "give each segment of speech as an item of its own, without the "
          "silence around it")
      .per_request();
  d.param("max_speech_seconds", &Params::max_speech_seconds,
          "neighbouring segments are joined up to this length, longer ones are "
          "split")
      .range(1, 1e6)
      .per_request();
}

Footprint Gate::memory(const StageContext& context) const {
  return networks_memory(context.model, kBlock);
}

void Gate::open(StageContext& context) {
  networks_ = open_networks(context.model);
}

void Gate::close() noexcept { networks_.clear(); }

void Gate::preprocess(const Request& request, Item in, ItemSink& out) const {
  const auto& how = params<Params>(*this, request);
  const at::Tensor waveform = get(in.inputs, "waveform");
  const std::int64_t rate = sample_rate(in);
  SegmentRules rules;
  rules.threshold = how.threshold;
  rules.end_threshold = end_threshold_for(how.threshold);
  if (how.split) rules.max_speech_s = how.max_speech_seconds;
  const auto speech = find_speech(waveform, network_for(networks_, rate), rate,
                                  rules, request.stop);
  if (speech.empty()) return;
  if (!how.split) {
    Tokens places;
    for (const Segment& part : speech) {
      places.insert(places.end(), {part.begin, part.end});
    }
    set(in.notes, kSpeech, std::move(places));
    out.push(std::move(in));
    return;
  }
  const auto hz = static_cast<double>(rate);
  const auto most = static_cast<std::int64_t>(how.max_speech_seconds * hz);
  for (const Segment& part : joined(speech, most)) {
    const std::int64_t length = part.end - part.begin;
    Item item = copy_of(in, waveform.narrow(0, part.begin, length));
    set(item.notes, kAudioBegin,
        audio_begin(in) + static_cast<double>(part.begin) / hz);
    set(item.notes, kAudioSeconds, static_cast<double>(length) / hz);
    out.push(std::move(item));
  }
}

}  // namespace penstock::silero
