// grammar.tools: the answer calls tools as its request allows, and each call
// fits the tool's schema.
#pragma once

#include <memory>
#include <string>

#include "grammar/compiler.h"
#include "grammar/grammar_cache.h"
#include "lib/tools/call_syntax.h"
#include "penstock/rule.h"

namespace penstock::grammar {

/// Of requests whose input `tools` names some; others are free. Needs the
/// vocabulary and the syntax of calls, which a stage before it shares.
class ToolsRule final : public Rule {
 public:
  struct Params {
    std::string tool_choice = "auto";
    bool parallel_tool_calls = true;
    std::int64_t tool_cache_mib = 32;
  };
  static void declare(Declaration<ToolsRule>& d);
  explicit ToolsRule(const Params& params);

  void open(StageContext& context) override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<const PreparedRule> prepare(
      const Request& request) const override;

 private:
  mutable GrammarCache cache_;
  std::shared_ptr<const Compiler> compiler_;
  std::shared_ptr<const tools::CallSyntax> syntax_;
};

}  // namespace penstock::grammar
