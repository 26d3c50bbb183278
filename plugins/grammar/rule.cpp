#include "grammar/rule.h"

#include <utility>
#include <vector>

#include "grammar/answer.h"
#include "penstock/keys.h"
#include "penstock/vocabulary.h"

namespace penstock::grammar {
namespace {

using Params = GrammarRule::Params;

/// What the params ask for; nothing: any answer.
std::vector<Source> sources_of(const Params& params) {
  const bool any = params.any_whitespace;
  std::vector<Source> out;
  const auto add = [&](Kind kind, const std::string& text) {
    if (!text.empty()) out.push_back({kind, text, any});
  };
  add(Kind::kSchema, params.json_schema);
  if (params.json) out.push_back({Kind::kJson, "", any});
  add(Kind::kRegex, params.regex);
  add(Kind::kGrammar, params.grammar);
  add(Kind::kLark, params.lark);
  return out;
}

std::string conflict(const Params& params) {
  const auto sources = sources_of(params);
  if (sources.size() < 2) return "";
  return str(name_of(sources[0].kind), " and ", name_of(sources[1].kind),
             " are both set; an answer can be held to one of them");
}

class Held final : public PreparedRule {
 public:
  Held(std::shared_ptr<const Compiled> compiled,
       std::shared_ptr<const Vocabulary> vocabulary, bool foresees)
      : compiled_(std::move(compiled)),
        vocabulary_(std::move(vocabulary)),
        foresees_(foresees) {}
  [[nodiscard]] std::unique_ptr<RuledAnswer> begin() const override {
    return std::make_unique<Answer>(compiled_, vocabulary_, foresees_);
  }

 private:
  std::shared_ptr<const Compiled> compiled_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  bool foresees_;
};

}  // namespace

void GrammarRule::declare(Declaration<GrammarRule>& d) {
  d.doc(
       "Rule: the answer fits a JSON schema, a regex or a grammar, token by "
       "token, and ends only where that may end")
      .uses(kEosIds);
  d.param("json_schema", &Params::json_schema,
          "a JSON schema that the answer fits; what of it is not supported is "
          "refused by name")
      .per_request();
  d.param("json", &Params::json, "the answer is a JSON object").per_request();
  d.param("regex", &Params::regex,
          "a regular expression that the whole answer matches")
      .per_request();
  d.param("grammar", &Params::grammar,
          "a grammar in EBNF (GBNF) whose rule `root` is the answer")
      .per_request();
  d.param("lark", &Params::lark,
          "a grammar as Lark writes it, whose rule `start` is the answer")
      .per_request();
  d.param("any_whitespace", &Params::any_whitespace,
          "JSON may have spaces and line breaks between its parts; false: one "
          "space behind each comma and colon, which is faster")
      .per_request();
  d.param("jump_forward", &Params::jump_forward,
          "check what the grammar leaves no choice about in one step; the "
          "answer stays the same")
      .per_request();
  d.param("cache_mib", &Params::cache_mib,
          "most MiB of compiled grammars that are kept for later requests")
      .range(0, 1 << 16);
  d.check(conflict);
}

GrammarRule::GrammarRule(const Params& params)
    : cache_(static_cast<std::size_t>(params.cache_mib) << 20U) {}

void GrammarRule::open(StageContext& context) {
  const auto vocabulary = context.shared_by_another<Vocabulary>();
  if (!vocabulary) {
    throw Error(Code::kUsage,
                str("no stage before it shares the vocabulary of the model '",
                    context.model, "'; gemma.tokenize does"));
  }
  const Tokens ends = get_or(context.facts, kEosIds, {});
  if (ends.empty()) {
    throw Error(Code::kUsage,
                "the model names no token that ends an answer (eos_ids)");
  }
  compiler_ = std::make_shared<const Compiler>(vocabulary, ends);
}

void GrammarRule::close() noexcept {
  cache_.clear();
  compiler_.reset();
}

std::shared_ptr<const PreparedRule> GrammarRule::prepare(
    const Request& request) const {
  const auto& chosen = params<Params>(*this, request);
  const auto sources = sources_of(chosen);
  if (sources.empty()) return nullptr;
  auto compiled =
      cache_.get(sources[0], [&] { return compiler_->compile(sources[0]); });
  return std::make_shared<const Held>(
      std::move(compiled), compiler_->vocabulary(), chosen.jump_forward);
}

}  // namespace penstock::grammar
