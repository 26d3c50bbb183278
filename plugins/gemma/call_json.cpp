#include "gemma/call_json.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "penstock/json.h"

namespace penstock::gemma {
namespace {

/// FNV-1a, of 64 bits.
class CallHash {
 public:
  void add(std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8U) {
      hash_ = (hash_ ^ (value & 0xFFU)) * 1'099'511'628'211U;
    }
  }
  [[nodiscard]] std::string text() const {
    constexpr std::string_view kLetters = "0123456789abcdef";
    std::string out;
    for (std::uint64_t rest = hash_; out.size() < 16; rest >>= 4U) {
      out += kLetters[rest & 15U];
    }
    return out;
  }

 private:
  std::uint64_t hash_ = 14'695'981'039'346'656'037U;
};

std::string call_id(const Tokens& prompt, int branch, std::size_t number) {
  CallHash hash;
  for (const std::int64_t id : prompt) hash.add(static_cast<std::uint64_t>(id));
  hash.add(static_cast<std::uint64_t>(branch));
  hash.add(number);
  return "call_" + hash.text();
}

}  // namespace

bool has_tools(const Request& request) {
  const auto found = request.inputs.find("tools");
  if (found == request.inputs.end()) return false;
  const auto* json = std::get_if<penstock::Json>(&found->second);
  const auto* text = std::get_if<std::string>(&found->second);
  if (json == nullptr && text == nullptr) return false;
  const JsonValue tools =
      parse_json(json == nullptr ? *text : json->text, "tools");
  const auto* list = std::get_if<JsonValue::Array>(&tools.data);
  return list != nullptr && !list->empty();
}

std::string call_json(const std::vector<tools::ToolCall>& calls,
                      const Tokens& prompt, int branch, std::size_t first) {
  using Out = nlohmann::ordered_json;
  Out list = Out::array();
  for (const tools::ToolCall& call : calls) {
    list.push_back(
        {{"id", call_id(prompt, branch, first++)},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return Out{{"tool_calls", std::move(list)}}.dump(
      -1, ' ', false, Out::error_handler_t::replace);
}

std::string call_part_json(const tools::CallPart& part, const Tokens& prompt,
                           int branch, std::size_t number) {
  if (part.is_begin) {
    return call_json({{part.name, part.arguments}}, prompt, branch, number);
  }
  using Out = nlohmann::ordered_json;
  const Out more{{"function", {{"arguments", part.arguments}}}};
  return Out{{"tool_call_more", Out::array({more})}}.dump(
      -1, ' ', false, Out::error_handler_t::replace);
}

}  // namespace penstock::gemma
