#include "grammar/cut.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::grammar {
namespace {

/// More tokens than these begin more texts than are looked at.
constexpr std::int64_t kMostTokens = 512;
/// At one place; more are numbers or free text.
constexpr std::size_t kMostBranches = 8;
/// Looked at for one set of tokens; 5 microseconds each.
constexpr int kMostPlaces = 32;
/// Of a text, which has more than one token then.
constexpr std::size_t kMostBytesAhead = 64;

/// Walks over the texts that may follow, as far as their first tokens.
class FirstTokens {
 public:
  FirstTokens(Matcher& matcher, const Compiled::Impl& compiled,
              const Vocabulary& vocabulary, std::int64_t before,
              const TokenSet& allowed)
      : matcher_(matcher),
        compiled_(compiled),
        vocabulary_(vocabulary),
        before_(before),
        text_before_(before < 0 ? "" : vocabulary.bytes(before)) {
    const auto& all = compiled.grammar.GetTokenizerInfo().GetDecodedVocab();
    texts_.reserve(allowed.ids().size());
    for (const std::int64_t id : allowed.ids()) {
      texts_.emplace_back(all[static_cast<std::size_t>(id)], id);
    }
  }

  /// False: a text begins with none of the tokens as they were cut.
  [[nodiscard]] bool walk() { return visit(""); }
  [[nodiscard]] Tokens take() {
    return found_.empty() ? std::move(joined_) : std::move(found_);
  }

 private:
  using Text = std::pair<std::string_view, std::int64_t>;

  /// Of a text that the tokenizer cuts into several.
  bool take_first(const std::string& text, std::int64_t first);
  bool leave_open(const std::string& text);
  /// Adds the byte; false: it is not ASCII, or one too many.
  static bool add(char byte, std::string& to);
  /// The bytes that follow the text in some token; nothing: they are many.
  [[nodiscard]] std::optional<std::string> bytes_of_tokens(
      const std::string& text) const;
  /// What may follow here, where that is few bytes of ASCII; else none.
  [[nodiscard]] std::string branches(const std::string& text);
  bool visit(std::string text);
  bool visit_all(const std::string& text, const std::string& bytes);

  Matcher& matcher_;
  const Compiled::Impl& compiled_;
  const Vocabulary& vocabulary_;
  std::vector<Text> texts_;  ///< of the allowed tokens
  std::int64_t before_;
  std::string text_before_;
  Tokens found_;
  Tokens joined_;  ///< of texts that the tokenizer would join to what is before
  int places_ = 0;
};

bool FirstTokens::leave_open(const std::string& text) {
  const std::size_t before = found_.size();
  for (const Text& each : texts_) {
    if (each.first.starts_with(text)) found_.push_back(each.second);
  }
  return found_.size() > before;
}

bool FirstTokens::add(char byte, std::string& to) {
  if (to.find(byte) == std::string::npos) to += byte;
  return static_cast<unsigned char>(byte) < 128 && to.size() <= kMostBranches;
}

std::optional<std::string> FirstTokens::bytes_of_tokens(
    const std::string& text) const {
  std::string out;
  for (const Text& each : texts_) {
    if (each.first.empty()) return std::nullopt;  // the answer may end
    if (each.first.size() <= text.size()) continue;
    const bool follows = each.first.starts_with(text);
    if (follows && !add(each.first[text.size()], out)) return std::nullopt;
  }
  return out;
}

std::string FirstTokens::branches(const std::string& text) {
  const auto some = bytes_of_tokens(text);
  if (!some) return "";
  if (text.empty()) return *some;  // each text begins with a token
  if (matcher_.may_end()) return "";
  const auto mask = matcher_.next();
  if (!mask) return "";
  std::string out;
  for (const auto& [byte, id] : compiled_.bytes->ids) {
    const auto word = (*mask)[static_cast<std::size_t>(id) / 64];
    const bool may_come =
        ((word >> (static_cast<unsigned>(id) % 64U)) & 1U) != 0;
    if (may_come && !add(byte, out)) return "";
  }
  return out;
}

bool FirstTokens::visit_all(const std::string& text, const std::string& bytes) {
  for (const char byte : bytes) {
    if (!matcher_.accept(std::string(1, byte))) continue;
    const bool is_found = visit(text + byte);
    matcher_.go_back(1);
    if (!is_found) return false;
  }
  return true;
}

bool FirstTokens::take_first(const std::string& text, std::int64_t first) {
  const bool is_allowed =
      std::any_of(texts_.begin(), texts_.end(),
                  [&](const Text& each) { return each.second == first; });
  if (!is_allowed) return false;
  const Tokens with_before = vocabulary_.encode(text_before_ + text);
  const bool is_apart = text_before_.empty() ||
                        (with_before.size() > 1 && with_before[0] == before_ &&
                         with_before[1] == first);
  (is_apart ? found_ : joined_).push_back(first);
  return true;
}

bool FirstTokens::visit(std::string text) {
  if (++places_ > kMostPlaces) return leave_open(text);
  std::string more = matcher_.forced_text();
  if (more.size() > kMostBytesAhead) more.resize(kMostBytesAhead);
  text += more;
  const Tokens cut = vocabulary_.encode(text);
  if (cut.size() > 1) return take_first(text, cut[0]);
  if (!more.empty() && !matcher_.accept(more)) return false;
  const std::string bytes = branches(text);
  const bool is_found =
      bytes.empty() ? leave_open(text) : visit_all(text, bytes);
  if (!more.empty()) matcher_.go_back(1);
  return is_found;
}

}  // namespace

std::shared_ptr<const TokenSet> cut_as_text(
    Matcher& matcher, const Compiled::Impl& compiled,
    const Vocabulary& vocabulary, std::int64_t before,
    std::shared_ptr<const TokenSet> allowed) {
  if (!allowed->is_listed() || allowed->size() < 2 ||
      allowed->size() > kMostTokens) {
    return allowed;
  }
  FirstTokens first(matcher, compiled, vocabulary, before, *allowed);
  if (!first.walk()) return allowed;
  auto cut = std::make_shared<const TokenSet>(first.take());
  return cut->is_empty() ? allowed : cut;
}

}  // namespace penstock::grammar
