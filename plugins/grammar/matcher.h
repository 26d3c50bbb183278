// Matcher: a place in a grammar. xgrammar's, in our words; for this folder's
// sources.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "grammar/compiled.h"

namespace penstock::grammar {

class Matcher {
 public:
  explicit Matcher(const Compiled::Impl& compiled)
      : grammar_(compiled.grammar, compiled.ends),
        vocabulary_(compiled.vocabulary) {}

  /// False: the grammar does not allow it here, and the place stays.
  bool accept(std::int64_t token) {
    return grammar_.AcceptToken(static_cast<int>(token));
  }
  bool accept(const std::string& text) { return grammar_.AcceptString(text); }
  /// Goes back behind so many that were accepted.
  void go_back(std::int64_t count) {
    grammar_.Rollback(static_cast<int>(count));
  }
  [[nodiscard]] bool is_over() const { return grammar_.IsTerminated(); }
  [[nodiscard]] bool may_end() const { return grammar_.IsCompleted(); }
  /// The tokens that may come, as TokenSet has bits; nothing: every token. Good
  /// until this thread asks any Matcher again.
  [[nodiscard]] std::optional<std::span<const std::uint64_t>> next();
  /// The text that must follow, in whole characters.
  [[nodiscard]] std::string forced_text();

 private:
  xgrammar::GrammarMatcher grammar_;
  std::int64_t vocabulary_;
};

}  // namespace penstock::grammar
