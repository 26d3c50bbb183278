// Answer: how far one answer has come in its grammar.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grammar/compiler.h"
#include "penstock/rule.h"

namespace penstock::grammar {

class Matcher;

/// How text comes that the grammar leaves no choice about.
struct ForcedText {
  bool is_foreseen = true;  ///< guessed, and checked in one step
  /// Into the tokens that the tokenizer makes of such text; else each token is
  /// the model's choice among those that the text may begin with.
  bool is_cut_by_tokenizer = true;
};

class Answer final : public RuledAnswer {
 public:
  Answer(std::shared_ptr<const Compiled> compiled,
         std::shared_ptr<const Vocabulary> vocabulary, ForcedText forced);
  ~Answer() override;

  [[nodiscard]] Ruling look(std::span<const std::int64_t> answer) override;
  [[nodiscard]] Tokens foresee(std::span<const std::int64_t> answer,
                               std::int64_t most) override;

 private:
  void go_to(std::span<const std::int64_t> answer);
  /// What may follow the tokens that the matcher has seen.
  [[nodiscard]] Ruling ruling();
  /// The text that must follow them, in whole characters.
  [[nodiscard]] const std::string& forced_text();
  /// The token that must follow them where the tokenizer cuts forced text.
  /// The last one of it is left to the model: what comes next may join it.
  [[nodiscard]] std::optional<std::int64_t> forced_token();
  [[nodiscard]] std::shared_ptr<const TokenSet> with_whole_characters(
      std::shared_ptr<const TokenSet> allowed) const;
  [[nodiscard]] bool is_end(const TokenSet& allowed) const;

  std::shared_ptr<const Compiled> compiled_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<Matcher> matcher_;
  ForcedText forced_;
  Tokens taken_;  ///< what the matcher has seen
  /// What forced_text() said of `taken_`.
  std::optional<std::string> text_;
  Tokens cut_;                ///< forced tokens, from the first of a text on
  std::size_t cut_from_ = 0;  ///< how many tokens come before them
  /// What was said, by the number of tokens of `taken_` behind which it was.
  std::map<std::size_t, Ruling> known_;
};

}  // namespace penstock::grammar
