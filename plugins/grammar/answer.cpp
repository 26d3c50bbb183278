#include "grammar/answer.h"

#include <algorithm>
#include <utility>

#include "grammar/compiled.h"
#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock::grammar {
namespace {

/// Guesses are looked at before a step and again behind it. A mask takes 32 KiB
/// where many tokens may come.
constexpr std::size_t kMostKnown = 20;

/// Whether not each byte that continues a character may follow this first one
/// of a character (RFC 3629). xgrammar knows lengths alone.
bool is_choosy(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte == 0xE0 || byte == 0xED || byte == 0xF0 || byte == 0xF4;
}

bool may_follow(char next, char first) {
  const auto byte = static_cast<unsigned char>(next);
  switch (static_cast<unsigned char>(first)) {
    case 0xE0:
      return byte >= 0xA0;
    case 0xED:
      return byte < 0xA0;
    case 0xF0:
      return byte >= 0x90;
    default:
      return byte < 0x90;
  }
}

}  // namespace

struct Answer::Matcher {
  xgrammar::GrammarMatcher grammar;

  explicit Matcher(const Compiled::Impl& compiled)
      : grammar(compiled.grammar, compiled.ends) {}

  /// The next mask; null: every token may come.
  std::shared_ptr<const TokenSet> next(std::int64_t vocabulary) {
    // One for all answers of the thread: it stays in the processor's cache.
    thread_local std::vector<std::uint64_t> bits;
    bits.resize(static_cast<std::size_t>(vocabulary + 63) / 64);
    bits.back() = 0;
    // Its words have 32 bits, the lowest first, as the halves of ours.
    std::int64_t words = xgrammar::GetBitmaskSize(static_cast<int>(vocabulary));
    DLTensor mask{.data = bits.data(),
                  .device = {kDLCPU, 0},
                  .ndim = 1,
                  .dtype = xgrammar::GetBitmaskDLType(),
                  .shape = &words,
                  .strides = nullptr,
                  .byte_offset = 0};
    if (!grammar.FillNextTokenBitmask(&mask)) return nullptr;
    const auto rest = static_cast<unsigned>(vocabulary % 64);
    if (rest != 0) bits.back() &= (std::uint64_t{1} << rest) - 1;
    return std::make_shared<const TokenSet>(std::span(std::as_const(bits)));
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
  known_.erase(known_.upper_bound(taken_.size()), known_.end());
  for (std::size_t i = taken_.size(); i < answer.size(); ++i) {
    if (!matcher_->grammar.AcceptToken(static_cast<int>(answer[i]))) {
      throw Error(Code::kInternal, str("token ", answer[i],
                                       " stands in the answer, but the "
                                       "grammar does not allow it there"));
    }
    taken_.push_back(answer[i]);
  }
}

std::shared_ptr<const TokenSet> Answer::with_whole_characters(
    std::shared_ptr<const TokenSet> allowed) const {
  if (!allowed->is_listed() || taken_.empty()) return allowed;
  const std::string before = vocabulary_->bytes(taken_.back());
  if (before.empty() || !is_choosy(before.back())) return allowed;
  Tokens ids;
  std::copy_if(allowed->ids().begin(), allowed->ids().end(),
               std::back_inserter(ids), [&](std::int64_t id) {
                 const std::string bytes = vocabulary_->bytes(id);
                 return bytes.empty() || may_follow(bytes[0], before.back());
               });
  if (std::ssize(ids) == allowed->size()) return allowed;
  return std::make_shared<const TokenSet>(std::move(ids));
}

bool Answer::is_end(const TokenSet& allowed) const {
  const auto& ends = compiled_->impl->ends;
  return allowed.is_listed() &&
         std::all_of(
             allowed.ids().begin(), allowed.ids().end(), [&](std::int64_t id) {
               return std::find(ends.begin(), ends.end(), id) != ends.end();
             });
}

Ruling Answer::ruling() {
  static const auto kNothing = std::make_shared<const TokenSet>();
  if (matcher_->grammar.IsTerminated()) return {.allowed = kNothing};
  auto allowed = matcher_->next(compiled_->impl->vocabulary);
  if (!allowed) return {};
  allowed = with_whole_characters(std::move(allowed));
  return {.allowed = is_end(*allowed) ? kNothing : std::move(allowed)};
}

Ruling Answer::look(std::span<const std::int64_t> answer) {
  const auto same =
      std::mismatch(taken_.begin(), taken_.end(), answer.begin(), answer.end());
  const bool is_on_the_way = same.second == answer.end();
  const auto found = known_.find(answer.size());
  if (is_on_the_way && found != known_.end()) {
    known_.erase(known_.begin(), found);  // it does not go back behind this
    return found->second;
  }
  go_to(answer);
  Ruling out = known_[answer.size()] = ruling();
  if (known_.size() > kMostKnown) known_.erase(known_.begin());
  return out;
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
