#include "runtime/advance.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock {
namespace {

/// The same tokens and the same Want give the same scores: some steps are
/// allowed to a Decode that counts by itself.
constexpr int kStill = 256;
/// A Decode may throw an answer away and begin again, some times.
constexpr int kVain = 4096;
/// Without tokens, what changes may be in Forward's state alone.
constexpr int kVainWithoutTokens = 1 << 17;

using Sets = std::vector<std::shared_ptr<const TokenSet>>;

bool is_same(const Sets& a, const Sets& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) {
                      return x == y || (x && y && *x == *y);
                    });
}

bool is_same(const Want& a, const Want& b) {
  return a.from == b.from && a.top == b.top && a.full == b.full &&
         a.norm == b.norm && a.follow == b.follow && a.hidden == b.hidden &&
         a.ids == b.ids && is_same(a.allowed, b.allowed);
}

/// Whether the next step will be just as the last.
bool is_still(const Sequence& sequence, const Next& next) {
  const bool is_cut =
      next.keep < static_cast<std::int64_t>(sequence.tokens.size());
  return next.tokens.empty() && !is_cut && next.draft == sequence.draft &&
         next.inputs.empty() && !next.reset && next.emit.empty() &&
         (!next.want || is_same(*next.want, sequence.want));
}

[[noreturn]] void fail(int steps, const char* what) {
  throw Error(Code::kInternal,
              str("decode made no progress for ", steps, " steps: ", what,
                  "; append a token, emit, or finish the sequence"));
}

}  // namespace

void Advance::look(const Sequence& sequence, const Next& next) {
  if (next.error || next.finish != Finish::kNo) return;
  const auto size = static_cast<std::int64_t>(sequence.tokens.size());
  const auto length =
      std::min(size, next.keep) + static_cast<std::int64_t>(next.tokens.size());
  const bool is_further = length > longest_ || !next.emit.empty();
  longest_ = std::max(longest_, length);
  vain_ = is_further ? 0 : vain_ + 1;
  const bool has_tokens = size > 0;
  still_ = has_tokens && is_still(sequence, next) ? still_ + 1 : 0;
  if (still_ >= kStill) fail(still_, "nothing of the sequence changed");
  if (vain_ >= (has_tokens ? kVain : kVainWithoutTokens)) {
    fail(vain_, "the sequence grew no longer, and nothing was given out");
  }
}

}  // namespace penstock
