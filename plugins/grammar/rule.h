// grammar.rule: the answer fits a JSON schema, a regex or a grammar.
#pragma once

#include <memory>
#include <string>

#include "grammar/compiler.h"
#include "grammar/grammar_cache.h"
#include "penstock/rule.h"

namespace penstock::grammar {

/// Needs the vocabulary that a stage before it shares, and the ids that end an
/// answer. A request sets one of the five, or none.
class GrammarRule final : public Rule {
 public:
  struct Params {
    std::string json_schema = {};
    bool json = false;
    std::string regex = {};
    std::string grammar = {};
    std::string lark = {};
    bool any_whitespace = false;
    bool jump_forward = true;
    std::int64_t cache_mib = 64;
  };
  static void declare(Declaration<GrammarRule>& d);
  explicit GrammarRule(const Params& params);

  void open(StageContext& context) override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<const PreparedRule> prepare(
      const Request& request) const override;

 private:
  mutable GrammarCache cache_;
  std::shared_ptr<const Compiler> compiler_;
};

}  // namespace penstock::grammar
