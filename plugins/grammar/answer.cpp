#include "grammar/answer.h"

#include <algorithm>
#include <utility>

#include "grammar/compiled.h"
#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock::grammar {

struct Answer::Matcher {
  xgrammar::GrammarMatcher grammar;
  std::vector<std::uint64_t> bits;

  explicit Matcher(const Compiled::Impl& compiled)
      : grammar(compiled.grammar, compiled.ends),
        bits(static_cast<std::size_t>(compiled.vocabulary + 63) / 64) {}

  /// The next mask; false: every token may come.
  bool fill(std::int64_t vocabulary) {
    std::fill(bits.begin(), bits.end(), 0);
    // Its words have 32 bits, the lowest first, as the halves of ours.
    std::int64_t words = xgrammar::GetBitmaskSize(static_cast<int>(vocabulary));
    DLTensor mask{.data = bits.data(),
                  .device = {kDLCPU, 0},
                  .ndim = 1,
                  .dtype = xgrammar::GetBitmaskDLType(),
                  .shape = &words,
                  .strides = nullptr,
                  .byte_offset = 0};
    const bool is_bound = grammar.FillNextTokenBitmask(&mask);
    const auto rest = static_cast<unsigned>(vocabulary % 64);
    if (rest != 0) bits.back() &= (std::uint64_t{1} << rest) - 1;
    return is_bound;
  }
};

Answer::Answer(std::shared_ptr<const Compiled> compiled,
               std::shared_ptr<const Vocabulary> vocabulary, bool foresees)
    : compiled_(std::move(compiled)),
      vocabulary_(std::move(vocabulary)),
      matcher_(std::make_unique<Matcher>(*compiled_->impl)),
      foresees_(foresees) {}

Answer::~Answer() = default;

void Answer::go_to(std::span<const std::int64_t> answer) {
  const auto same =
      std::mismatch(taken_.begin(), taken_.end(), answer.begin(), answer.end());
  const auto extra = taken_.end() - same.first;
  if (extra > 0) matcher_->grammar.Rollback(static_cast<int>(extra));
  taken_.erase(same.first, taken_.end());
  for (std::size_t i = taken_.size(); i < answer.size(); ++i) {
    if (!matcher_->grammar.AcceptToken(static_cast<int>(answer[i]))) {
      throw Error(Code::kInternal, str("token ", answer[i],
                                       " stands in the answer, but the "
                                       "grammar does not allow it there"));
    }
    taken_.push_back(answer[i]);
  }
}

/// Whether a byte may follow the first byte of a character: of some, not each
/// that continues one (RFC 3629). xgrammar knows lengths alone.
bool Answer::may_be_next(std::int64_t id) const {
  const std::string before = vocabulary_->bytes(taken_.back());
  const std::string bytes = vocabulary_->bytes(id);
  if (before.empty() || bytes.empty()) return true;
  const auto next = static_cast<unsigned char>(bytes[0]);
  switch (static_cast<unsigned char>(before.back())) {
    case 0xE0:
      return next >= 0xA0;
    case 0xED:
      return next < 0xA0;
    case 0xF0:
      return next >= 0x90;
    case 0xF4:
      return next < 0x90;
    default:
      return true;
  }
}

Ruling Answer::look(std::span<const std::int64_t> answer) {
  static const auto kNothing = std::make_shared<const TokenSet>();
  go_to(answer);
  if (matcher_->grammar.IsTerminated()) return {.allowed = kNothing};
  if (!matcher_->fill(compiled_->impl->vocabulary)) return {};
  auto allowed = std::make_shared<const TokenSet>(matcher_->bits);
  if (allowed->is_listed() && !taken_.empty()) {
    Tokens ids;
    std::copy_if(allowed->ids().begin(), allowed->ids().end(),
                 std::back_inserter(ids),
                 [&](std::int64_t id) { return may_be_next(id); });
    if (std::ssize(ids) < allowed->size()) {
      allowed = std::make_shared<const TokenSet>(std::move(ids));
    }
  }
  const auto& ends = compiled_->impl->ends;
  const bool is_whole =
      allowed->is_listed() &&
      std::all_of(
          allowed->ids().begin(), allowed->ids().end(), [&](std::int64_t id) {
            return std::find(ends.begin(), ends.end(), id) != ends.end();
          });
  return {.allowed = is_whole ? kNothing : std::move(allowed)};
}

Tokens Answer::foresee(std::span<const std::int64_t> answer,
                       std::int64_t most) {
  if (!foresees_) return {};
  go_to(answer);
  if (matcher_->grammar.IsTerminated()) return {};
  std::string text = matcher_->grammar.FindJumpForwardString();
  text.resize(complete_utf8(text));
  if (text.empty() || invalid_utf8(text)) return {};
  Tokens tokens = vocabulary_->encode(text);
  tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(most)));
  return tokens;
}

}  // namespace penstock::grammar
