#include "grammar/answer.h"

#include <algorithm>
#include <utility>

#include "grammar/cut.h"
#include "grammar/matcher.h"
#include "penstock/error.h"

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

/// The set of these bits. Many tokens mostly come where the same came before,
/// in this answer or in another: within texts. To count and to copy them takes
/// longer than to compare.
std::shared_ptr<const TokenSet> set_of(std::span<const std::uint64_t> bits) {
  constexpr std::size_t kMostKept = 8;
  thread_local std::vector<std::shared_ptr<const TokenSet>> kept;
  while (!bits.empty() && bits.back() == 0) bits = bits.first(bits.size() - 1);
  const auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& of) {
    return std::equal(of->bits().begin(), of->bits().end(), bits.begin(),
                      bits.end());
  });
  if (same != kept.end()) {
    std::rotate(kept.begin(), same, same + 1);
    return kept.front();
  }
  auto made = std::make_shared<const TokenSet>(bits);
  if (made->is_listed()) return made;
  if (kept.size() == kMostKept) kept.pop_back();
  return *kept.insert(kept.begin(), std::move(made));
}

}  // namespace

Answer::Answer(std::shared_ptr<const Compiled> compiled,
               std::shared_ptr<const Vocabulary> vocabulary, ForcedText forced)
    : compiled_(std::move(compiled)),
      vocabulary_(std::move(vocabulary)),
      matcher_(std::make_unique<Matcher>(*compiled_->impl)),
      forced_(forced) {}

Answer::~Answer() = default;

void Answer::go_to(std::span<const std::int64_t> answer) {
  const auto same =
      std::mismatch(taken_.begin(), taken_.end(), answer.begin(), answer.end());
  const auto extra = taken_.end() - same.first;
  if (extra > 0) matcher_->go_back(extra);
  taken_.erase(same.first, taken_.end());
  if (taken_.size() < cut_from_) cut_.clear();
  if (extra > 0 || taken_.size() != answer.size()) text_.reset();
  known_.erase(known_.upper_bound(taken_.size()), known_.end());
  for (std::size_t i = taken_.size(); i < answer.size(); ++i) {
    if (!matcher_->accept(answer[i])) {
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

const std::string& Answer::forced_text() {
  if (!text_) text_ = matcher_->forced_text();
  return *text_;
}

std::optional<std::int64_t> Answer::forced_token() {
  const std::size_t at = taken_.size() - std::min(cut_from_, taken_.size());
  if (at < cut_.size()) return cut_[at];
  const std::string& text = forced_text();
  if (text.empty()) return std::nullopt;
  Tokens tokens = vocabulary_->encode(text);
  std::string written;
  for (const std::int64_t id : tokens) written += vocabulary_->bytes(id);
  if (tokens.size() < 2 || written != text) return std::nullopt;
  tokens.pop_back();
  cut_ = std::move(tokens);
  cut_from_ = taken_.size();
  return cut_[0];
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
  if (matcher_->is_over()) return {.allowed = kNothing};
  if (forced_.is_cut_by_tokenizer) {
    if (const auto id = forced_token()) {
      return {.allowed = std::make_shared<const TokenSet>(Tokens{*id})};
    }
  }
  const auto mask = matcher_->next();
  if (!mask) return {};
  auto allowed = set_of(*mask);
  allowed = with_whole_characters(std::move(allowed));
  if (forced_.is_cut_by_tokenizer) {
    const std::int64_t before = taken_.empty() ? -1 : taken_.back();
    allowed = cut_as_text(*matcher_, *compiled_->impl, *vocabulary_, before,
                          std::move(allowed));
  }
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
  if (!forced_.is_foreseen) return {};
  go_to(answer);
  if (matcher_->is_over()) return {};
  const std::string& text = forced_text();
  if (text.empty()) return {};
  Tokens tokens = vocabulary_->encode(text);
  tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(most)));
  return tokens;
}

}  // namespace penstock::grammar
