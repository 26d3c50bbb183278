// Answer: how far one answer has come in its grammar.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "grammar/compiler.h"
#include "penstock/rule.h"

namespace penstock::grammar {

class Answer final : public RuledAnswer {
 public:
  /// `foresees`: what the grammar leaves no choice about.
  Answer(std::shared_ptr<const Compiled> compiled,
         std::shared_ptr<const Vocabulary> vocabulary, bool foresees);
  ~Answer() override;

  [[nodiscard]] Ruling look(std::span<const std::int64_t> answer) override;
  [[nodiscard]] Tokens foresee(std::span<const std::int64_t> answer,
                               std::int64_t most) override;

 private:
  struct Matcher;
  void go_to(std::span<const std::int64_t> answer);
  /// What may follow the tokens that the matcher has seen.
  [[nodiscard]] Ruling ruling();
  [[nodiscard]] std::shared_ptr<const TokenSet> with_whole_characters(
      std::shared_ptr<const TokenSet> allowed) const;
  [[nodiscard]] bool is_end(const TokenSet& allowed) const;

  std::shared_ptr<const Compiled> compiled_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<Matcher> matcher_;
  bool foresees_;
  Tokens taken_;  ///< what the matcher has seen
  /// What was said, by the number of tokens of `taken_` behind which it was.
  std::map<std::size_t, Ruling> known_;
};

}  // namespace penstock::grammar
