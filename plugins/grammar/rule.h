// grammar.rule: the answer fits a JSON schema, a regex or a grammar.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "grammar/compiler.h"
#include "grammar/grammar_cache.h"
#include "penstock/rule.h"

namespace penstock::grammar {

/// Needs the vocabulary that a stage before it shares, and the ids that end an
/// answer. A request sets one of the five, or none: then the
/// pipeline's is in force.
class GrammarRule final : public Rule {
 public:
  struct Params {
    std::string json_schema = {};
    bool json = false;
    std::string regex = {};
    std::string grammar = {};
    std::string lark = {};
    std::string json_schema_file = {}, grammar_file = {};
    bool any_whitespace = false;
    bool jump_forward = true;
    std::string cut = "tokenizer";
    std::int64_t cache_mib = 64;
  };
  static void declare(Declaration<GrammarRule>& d);
  explicit GrammarRule(const Params& params);

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<const PreparedRule> prepare(
      const Request& request) const override;

 private:
  /// Whether requests that ask nothing are held to something.
  [[nodiscard]] bool is_held() const;
  /// The kept one, or a new one.
  [[nodiscard]] GrammarCache::Value compile(const Source& source) const;
  /// Whether the pipeline asks it, and not a request.
  [[nodiscard]] bool is_default(const Source& source) const;

  mutable GrammarCache cache_;
  std::shared_ptr<const Compiler> compiler_;
  Params params_;
  std::optional<Source> from_file_;  ///< what is asked where nothing else is
};

}  // namespace penstock::grammar
