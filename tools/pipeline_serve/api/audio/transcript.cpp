#include "pipeline_serve/api/audio/transcript.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "penstock/keys.h"

namespace penstock::serve {
namespace {

/// Their name of a segment's member and ours.
struct Name {
  const char* theirs;
  const char* ours;
};
constexpr std::array kNumbers{Name{"temperature", kTemperature.name},
                              Name{"avg_logprob", kAverageLogProbability.name},
                              Name{"compression_ratio", kCompressionRatio.name},
                              Name{"no_speech_prob", kNoSpeech.name}};

/// The part of `text` from `from` on that ends with `said`; `from` goes on
/// behind it.
std::string part_of(const std::string& text, const std::string& said,
                    std::size_t& from) {
  const auto found = text.find(said, from);
  if (found == std::string::npos) return said;
  const auto begin = from;
  from = found + said.size();
  return text.substr(begin, from - begin);
}

OutJson segment_of(const OutJson& ours, std::size_t id,
                   const std::string& text) {
  OutJson out{{"id", id},
              {"seek", ours.value("seek", OutJson(0))},
              {"start", ours.at("begin")},
              {"end", ours.at("end")},
              {"text", text},
              {"tokens", ours.value("tokens", OutJson::array())}};
  for (const Name& name : kNumbers) {
    out[name.theirs] = ours.value(name.ours, OutJson(0.0));
  }
  return out;
}

}  // namespace

Transcript transcript_of(const std::string& text,
                         const std::vector<std::string>& pieces,
                         const Notes& notes) {
  Transcript out;
  out.text = text;
  out.seconds = get_or(notes, kAudioBegin, 0) + get_or(notes, kAudioSeconds, 0);
  std::size_t from = 0;
  for (const std::string& piece : pieces) {
    const auto json = OutJson::parse(piece);
    for (const OutJson& segment : json.value("segments", OutJson::array())) {
      const auto said = segment.at("text").get<std::string>();
      out.segments.push_back(
          segment_of(segment, out.segments.size(), part_of(text, said, from)));
      out.seconds = std::max(out.seconds, segment.at("end").get<double>());
    }
  }
  return out;
}

OutJson duration_usage(const Transcript& transcript) {
  return {{"type", "duration"}, {"seconds", std::ceil(transcript.seconds)}};
}

}  // namespace penstock::serve
