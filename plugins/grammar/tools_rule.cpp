#include "grammar/tools_rule.h"

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "grammar/calls_tag.h"
#include "grammar/held.h"
#include "penstock/json.h"
#include "penstock/keys.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostKeyBytes = std::size_t{64} << 10U;
constexpr std::string_view kFunction = "function:";

std::string wrong_choice(const ToolsRule::Params& params) {
  const std::string& choice = params.tool_choice;
  if (choice == "auto" || choice == "required" ||
      choice.starts_with(kFunction)) {
    return "";
  }
  return str("tool_choice is '", choice.substr(0, 64),
             "', expected auto, required or function:NAME");
}

std::optional<JsonValue> tools_input(const Request& request) {
  const auto found = request.inputs.find("tools");
  if (found == request.inputs.end()) return std::nullopt;
  const auto* json = std::get_if<Json>(&found->second);
  return parse_json(json != nullptr ? json->text : text_input(request, "tools"),
                    "tools");
}

CallsAsked asked_of(const ToolsRule::Params& params, const JsonValue& given) {
  CallsAsked asked{.tools = tools::tools_of(JsonView(given, "tools")),
                   .is_required = params.tool_choice != "auto",
                   .are_many = params.parallel_tool_calls};
  if (!params.tool_choice.starts_with(kFunction)) return asked;
  const std::string name = params.tool_choice.substr(kFunction.size());
  std::erase_if(asked.tools,
                [&](const tools::Tool& tool) { return tool.name != name; });
  if (asked.tools.empty()) {
    throw Error(Code::kData, str("tool_choice: there is no tool '",
                                 name.substr(0, 64), "' among the tools"));
  }
  asked.are_many = false;
  return asked;
}

/// The same for the same grammar.
std::string key_of(const CallsAsked& asked) {
  std::string out = str(asked.is_required, asked.are_many);
  for (const tools::Tool& tool : asked.tools) {
    out += str(' ', tool.name, ' ',
               json_text(tool.parameters, JsonSpaces::kSpaced));
  }
  if (out.size() <= kMostKeyBytes) return out;
  throw Error(Code::kData, str("tools: ", out.size(),
                               " bytes of schemas are too many; the "
                               "most is ",
                               kMostKeyBytes));
}

}  // namespace

void ToolsRule::declare(Declaration<ToolsRule>& d) {
  d.doc(
       "Rule: an answer to a request with `tools` calls them as it may, each "
       "call fits its tool's schema, and other text is free")
      .uses(kEosIds)
      .light();  // but for requests with tools
  d.param("tool_choice", &Params::tool_choice,
          "auto: words or calls; required: at least one call; function:NAME: "
          "one call of that tool")
      .per_request();
  d.param("parallel_tool_calls", &Params::parallel_tool_calls,
          "an answer may call several times; false: its end is behind the "
          "first call")
      .per_request();
  d.param("tool_cache_mib", &Params::tool_cache_mib,
          "most MiB of compiled tools that are kept for later requests")
      .range(0, 1 << 16);
  d.check(wrong_choice);
}

ToolsRule::ToolsRule(const Params& params)
    : cache_(static_cast<std::size_t>(params.tool_cache_mib) << 20U) {}

void ToolsRule::open(StageContext& context) {
  syntax_ = context.shared_by_another<tools::CallSyntax>();
  if (!syntax_) {
    throw Error(Code::kUsage,
                str("no stage before it shares how the model '", context.model,
                    "' writes calls; gemma.tokenize does"));
  }
  compiler_ = shared_compiler(context, syntax_->ends, kSharedBytes);
}

void ToolsRule::close() noexcept {
  cache_.clear();
  compiler_.reset();
}

std::shared_ptr<const PreparedRule> ToolsRule::prepare(
    const Request& request) const {
  const auto given = tools_input(request);
  if (!given) return nullptr;
  const CallsAsked asked = asked_of(params<Params>(*this, request), *given);
  if (asked.tools.empty()) return nullptr;
  const Source key{.kind = Kind::kCalls, .text = key_of(asked)};
  const auto compile = [&] {
    return compiler_->compile(
        {.kind = Kind::kCalls, .text = calls_tag(asked, *syntax_)});
  };
  return held_to(cache_.get(key, compile), compiler_->vocabulary());
}

}  // namespace penstock::grammar
