#include "whisper/silence.h"

#include <algorithm>
#include <cmath>

#include "penstock/keys.h"

namespace penstock::whisper {
namespace {

/// What is left of speech whose words are written down: their times and the
/// gate's differ by that much.
constexpr std::int64_t kRest = 30;
/// Speech that begins in a window's last second is left to the next.
constexpr std::int64_t kEdge = 100;
/// Heard before speech.
constexpr std::int64_t kLead = 20;

}  // namespace

std::optional<std::vector<Speech>> speech_of(const Notes& notes) {
  const Tokens* found = find(notes, kSpeech);
  if (found == nullptr) return std::nullopt;
  const auto hz = static_cast<double>(get_or(notes, kSampleRate, 16000));
  const auto frame = [&](std::int64_t place) {
    return std::llround(static_cast<double>(place) * 100 / hz);
  };
  const Tokens& places = *found;
  std::vector<Speech> out;
  for (std::size_t i = 0; i + 1 < places.size(); i += 2) {
    out.push_back({.begin = frame(places[i]), .end = frame(places[i + 1])});
  }
  return out;
}

std::int64_t skip_silence(const std::vector<Speech>& speech, std::int64_t seek,
                          std::int64_t window, std::int64_t total) {
  for (const Speech& part : speech) {
    if (part.begin < seek && part.end - seek < kRest) continue;
    if (part.begin < seek + window - kEdge) return seek;
    return std::min(total, std::max(seek, part.begin - kLead));
  }
  return total;
}

}  // namespace penstock::whisper
