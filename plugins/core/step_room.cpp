#include "core/step_room.h"

#include <algorithm>

namespace penstock::core {

std::int64_t StepRoom::take(const Sequence& sequence, std::int64_t done) {
  const std::int64_t wanted =
      std::min({sequence.length() - done, left_.chunk, left_.tokens});
  std::int64_t count = wanted;
  if (!is_decoding(sequence, done)) {
    const bool is_whole = sequence.is_fresh && !sequence.item->inputs.empty();
    const bool fits = left_.prompt_tokens > 0;
    count =
        is_whole ? (fits ? wanted : 0) : std::min(wanted, left_.prompt_tokens);
    left_.prompt_tokens =
        std::max<std::int64_t>(0, left_.prompt_tokens - count);
  }
  left_.tokens -= count;
  return count;
}

}  // namespace penstock::core
