#include "grammar/rule.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "grammar/held.h"
#include "penstock/keys.h"

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

[[noreturn]] void refuse_both(const std::string& one,
                              const std::string& other) {
  throw Error(Code::kData, str(one, " and ", other,
                               " are both set; an answer can be held to one "
                               "of them"));
}

/// The one of these; nothing: there is none.
std::optional<Source> only(const std::vector<Source>& sources) {
  if (sources.size() > 1) {
    refuse_both(name_of(sources[0].kind), name_of(sources[1].kind));
  }
  return sources.empty() ? std::nullopt : std::optional(sources[0]);
}

/// What a file holds; as `labels` of image.labels, by path or beside the model.
Source read_source(const Params& params, const std::string& model) {
  namespace fs = std::filesystem;
  const bool is_schema = !params.json_schema_file.empty();
  const fs::path named =
      is_schema ? params.json_schema_file : params.grammar_file;
  const fs::path beside = fs::path(model).parent_path() / named;
  const fs::path path = fs::exists(named) ? named : beside;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), std::ssize(text));
  if (file.bad() || !fs::is_regular_file(path)) {
    throw Error(Code::kNotFound,
                str(is_schema ? "json_schema_file" : "grammar_file", ": '",
                    named.string(), "' is no file, nor one beside the model"));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  const Kind kind = is_schema                     ? Kind::kSchema
                    : path.extension() == ".lark" ? Kind::kLark
                                                  : Kind::kGrammar;
  return {kind, std::move(text), params.any_whitespace};
}

/// Params of how an answer comes, and not of what it is.
void declare_ways(Declaration<GrammarRule>& d) {
  d.param("any_whitespace", &Params::any_whitespace,
          "JSON may have spaces and line breaks between its parts; false: one "
          "space behind each comma and colon, which is faster")
      .per_request();
  d.param("jump_forward", &Params::jump_forward,
          "check what the grammar leaves no choice about in one step; the "
          "answer stays the same")
      .per_request();
  d.param("cut", &Params::cut,
          "who cuts text that the grammar leaves no choice about into tokens: "
          "tokenizer, as it cuts any text, which is faster; model: whatever "
          "its scores say of each token that the text may begin with")
      .choices({"tokenizer", "model"})
      .per_request();
  d.param("cache_mib", &Params::cache_mib,
          "most MiB of compiled grammars that are kept for later requests")
      .range(0, 1 << 16);
}

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
  d.param("json_schema_file", &Params::json_schema_file,
          "file with the JSON schema of requests that ask nothing else, by "
          "path or beside the model");
  d.param("grammar_file", &Params::grammar_file,
          "the same with a grammar: Lark where it ends in .lark, else EBNF");
  declare_ways(d);
}

GrammarRule::GrammarRule(const Params& params)
    : cache_(static_cast<std::size_t>(params.cache_mib) << 19U),
      params_(params) {}

bool GrammarRule::is_held() const {
  return !sources_of(params_).empty() || !params_.json_schema_file.empty() ||
         !params_.grammar_file.empty();
}

Footprint GrammarRule::memory(const StageContext& context) const {
  return {.working_bytes = is_held() ? compiler_bytes(context.model) : 0};
}

void GrammarRule::open(StageContext& context) {
  // Half of the memory is for grammars, half for what schemas share.
  compiler_ = shared_compiler(
      context, {}, static_cast<std::size_t>(params_.cache_mib) << 19U);
  const bool has_schema_file = !params_.json_schema_file.empty();
  const bool has_grammar_file = !params_.grammar_file.empty();
  const auto inline_source = only(sources_of(params_));
  if (has_schema_file && has_grammar_file) {
    refuse_both("json_schema_file", "grammar_file");
  }
  if (!has_schema_file && !has_grammar_file) return;
  if (inline_source) {
    refuse_both(name_of(inline_source->kind),
                has_schema_file ? "json_schema_file" : "grammar_file");
  }
  from_file_ = read_source(params_, context.model);
  (void)compile(*from_file_);  // so that its faults are told now
}

void GrammarRule::close() noexcept {
  cache_.clear();
  compiler_.reset();
}

std::shared_ptr<const PreparedRule> GrammarRule::prepare(
    const Request& request) const {
  const auto& chosen = params<Params>(*this, request);
  // What a request asks itself comes before what the pipeline does.
  std::vector<Source> own = sources_of(chosen);
  std::erase_if(own, [&](const Source& each) { return is_default(each); });
  auto source = only(own);
  if (!source) source = only(sources_of(chosen));
  if (!source && from_file_) {
    source = from_file_;
    source->any_whitespace = chosen.any_whitespace;
  }
  if (!source) return nullptr;
  return held_to(compile(*source), compiler_->vocabulary(),
                 {.is_foreseen = chosen.jump_forward,
                  .is_cut_by_tokenizer = chosen.cut == "tokenizer"});
}

bool GrammarRule::is_default(const Source& source) const {
  const auto defaults = sources_of(params_);
  return std::any_of(defaults.begin(), defaults.end(), [&](const auto& each) {
    return each.kind == source.kind && each.text == source.text;
  });
}

GrammarCache::Value GrammarRule::compile(const Source& source) const {
  return cache_.get(source, [&] { return compiler_->compile(source); });
}

}  // namespace penstock::grammar
