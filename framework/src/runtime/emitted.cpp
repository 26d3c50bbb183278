#include "runtime/emitted.h"

#include <nlohmann/json.hpp>

#include "penstock/error.h"

namespace penstock {
namespace {

constexpr const char* kExpected =
    "; expected an object such as {\"labels\": [...]}, whose keys become the "
    "result's";

/// Why it is no JSON, without the parser's name.
std::string reason(const std::string& text) {
  try {
    [[maybe_unused]] const auto parsed = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    const std::string what = error.what();
    const auto end = what.find("] ");
    return end == std::string::npos ? what : what.substr(end + 2);
  }
  return "";
}

void check_json(const std::string& text) {
  if (!nlohmann::json::accept(text)) {
    throw Error(Code::kInternal,
                str("emitted what is no JSON: ", reason(text), kExpected));
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') return;
  const auto made = nlohmann::json::parse(text);
  throw Error(Code::kInternal,
              str("emitted JSON that is ", made.is_null() ? "" : "a",
                  made.is_array() ? "n " : (made.is_null() ? "" : " "),
                  made.type_name(), kExpected));
}

}  // namespace

void check_emitted(const Value& value, int branch, std::size_t branches) {
  if (branch < 0 || static_cast<std::size_t>(branch) >= branches) {
    throw Error(Code::kInternal,
                str("emitted a piece of branch ", branch, ", but the request ",
                    "has ", branches, ", counted from 0; expected the branch ",
                    "of what Decode gave"));
  }
  if (const auto* json = std::get_if<Json>(&value)) check_json(json->text);
}

}  // namespace penstock
