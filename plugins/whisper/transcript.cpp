#include "whisper/transcript.h"

#include <algorithm>

namespace penstock::whisper {
namespace {

/// One segment for the whole window, up to its last time where it has one.
SegmentedWindow whole(TextTokens tokens, const Vocabulary& words,
                      std::int64_t frames) {
  std::int64_t end = frames / 2;
  for (const std::int64_t id : tokens) {
    if (id > words.first_time) end = id - words.first_time;
  }
  return {.segments = {{.begin = 0,
                        .end = end,
                        .first = 0,
                        .last = static_cast<std::int64_t>(tokens.size())}},
          .frames = frames};
}

}  // namespace

SegmentedWindow split_segments(TextTokens tokens, const Vocabulary& words,
                               std::int64_t frames) {
  const auto is_time = [&](std::size_t i) {
    return tokens[i] >= words.first_time;
  };
  std::vector<std::int64_t> ends;  // between the two times of a pair
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (is_time(i - 1) && is_time(i)) {
      ends.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (ends.empty()) return whole(tokens, words, frames);
  const std::size_t count = tokens.size();
  const bool is_single = is_time(count - 1) && !is_time(count - 2);
  if (is_single) ends.push_back(static_cast<std::int64_t>(count));
  SegmentedWindow out;
  std::int64_t first = 0;
  for (const std::int64_t last : ends) {
    const auto time = [&](std::int64_t at) {
      return tokens[static_cast<std::size_t>(at)] - words.first_time;
    };
    out.segments.push_back({.begin = time(first),
                            .end = time(last - 1),
                            .first = first,
                            .last = last});
    first = last;
  }
  out.frames = is_single ? frames : 2 * out.segments.back().end;
  return out;
}

}  // namespace penstock::whisper
