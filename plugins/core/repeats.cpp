#include "core/repeats.h"

#include <algorithm>

namespace penstock::core {

Tokens would_repeat(const Tokens& tokens, std::int64_t n) {
  const auto size = static_cast<std::int64_t>(tokens.size());
  Tokens out;
  if (n <= 0 || size + 1 < n) return out;
  const auto last = tokens.end() - (n - 1);
  for (auto at = tokens.begin(); tokens.end() - at >= n; ++at) {
    if (std::equal(last, tokens.end(), at)) out.push_back(at[n - 1]);
  }
  return out;
}

Tokens would_complete(const Tokens& tokens, const std::vector<Tokens>& words) {
  Tokens out;
  for (const Tokens& word : words) {
    if (word.size() > tokens.size() + 1) continue;
    const auto count = static_cast<std::ptrdiff_t>(word.size()) - 1;
    const bool is_begun =
        std::equal(word.begin(), word.end() - 1, tokens.end() - count);
    if (is_begun) out.push_back(word.back());
  }
  return out;
}

}  // namespace penstock::core
