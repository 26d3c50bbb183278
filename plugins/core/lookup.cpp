#include "core/lookup.h"

#include <algorithm>

namespace penstock::core {
namespace {

/// Tokens that must agree; more do not make a guess better.
constexpr std::int64_t kFewest = 2, kEnough = 6;
constexpr std::int64_t kLongestWait = 64;

/// Where the end of `tokens` stood before, as the place after it: the longest
/// agreement, of equal ones the last. 0: nowhere.
std::int64_t place_after(const Tokens& tokens) {
  const auto size = static_cast<std::int64_t>(tokens.size());
  std::int64_t best = kFewest - 1;
  std::int64_t found = 0;
  for (std::int64_t end = size - 1; end > best && best < kEnough; --end) {
    std::int64_t same = 0;
    while (same < std::min(kEnough, end) &&
           tokens[static_cast<std::size_t>(end - 1 - same)] ==
               tokens[static_cast<std::size_t>(size - 1 - same)]) {
      ++same;
    }
    if (same <= best) continue;
    best = same;
    found = end;
  }
  return found;
}

}  // namespace

Tokens Lookup::guess(const Tokens& tokens, std::int64_t room) {
  if (wait_ > 0) {
    --wait_;
    return {};
  }
  const std::int64_t count = std::min({length_, most_, room});
  if (count <= 0) return {};
  const std::int64_t from = place_after(tokens);
  if (from == 0) return {};
  const auto size = static_cast<std::int64_t>(tokens.size());
  Tokens out;
  for (std::int64_t i = from; i < from + count; ++i) {
    // A short loop goes on through the guess itself.
    out.push_back(i < size ? tokens[static_cast<std::size_t>(i)]
                           : out[static_cast<std::size_t>(i - size)]);
  }
  return out;
}

void Lookup::learn(std::int64_t guessed, std::int64_t came_true) {
  if (came_true == guessed) {
    length_ = std::min(2 * length_, most_);
  } else if (2 * came_true < guessed) {
    length_ = std::max<std::int64_t>(1, length_ / 2);
  }
  if (came_true > 0) {
    next_wait_ = 1;
    return;
  }
  wait_ = next_wait_;
  next_wait_ = std::min(2 * next_wait_, kLongestWait);
}

}  // namespace penstock::core
