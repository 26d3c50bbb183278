#include "lib/tools/escaped_arguments.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "lib/tools/arguments_end.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::tools {
namespace {

constexpr std::size_t kMostNested = 32;

/// Thrown and caught in this file.
struct NotEscaped {};

class EscapedReader {
 public:
  explicit EscapedReader(std::string_view text) : text_(text) {}

  std::string whole() {
    if (!next_is('{')) throw NotEscaped();
    std::string out = value(0);
    if (!text_.empty()) throw NotEscaped();
    return out;
  }

 private:
  [[nodiscard]] bool next_is(char byte) const {
    return !text_.empty() && text_[0] == byte;
  }
  bool take(char byte) {
    if (!next_is(byte)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string until(std::string_view end) {
    const auto at = text_.find(end);
    if (at == std::string_view::npos) throw NotEscaped();
    std::string out(text_.substr(0, at));
    text_.remove_prefix(at + end.size());
    return out;
  }
  std::string value(std::size_t depth) {
    if (depth > kMostNested) throw NotEscaped();
    if (text_.starts_with(kEscape)) {
      text_.remove_prefix(kEscape.size());
      return json_quoted(until(kEscape));
    }
    if (take('{')) return members(depth);
    if (take('[')) return items(depth);
    return scalar();
  }
  std::string members(std::size_t depth) {
    std::string out = "{";
    while (!take('}')) {
      if (out.size() > 1) {
        if (!take(',')) throw NotEscaped();
        out += ", ";
      }
      const std::string key = until(":");
      if (key.empty() || key.find_first_of("{}[],<") != std::string::npos) {
        throw NotEscaped();
      }
      out += json_quoted(key) + ": ";
      out += value(depth + 1);
    }
    return out + "}";
  }
  std::string items(std::size_t depth) {
    std::string out = "[";
    while (!take(']')) {
      if (out.size() > 1) {
        if (!take(',')) throw NotEscaped();
        out += ", ";
      }
      out += value(depth + 1);
    }
    return out + "]";
  }
  /// A number, true, false or null.
  std::string scalar() {
    const auto end = std::min(text_.find_first_of(",}]"), text_.size());
    std::string out(text_.substr(0, end));
    if (out.empty() || out[0] == '"') throw NotEscaped();
    (void)parse_json(out, "");
    text_.remove_prefix(end);
    return out;
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::string> json_of_escaped(const std::string& text) {
  try {
    std::string out = EscapedReader(text).whole();
    (void)parse_json(out, "");  // no key twice
    return out;
  } catch (const NotEscaped&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string escaped_of_json(const JsonValue& value) {
  std::string out;
  if (const auto* text = std::get_if<std::string>(&value.data)) {
    return str(kEscape, *text, kEscape);
  }
  if (const auto* items = std::get_if<JsonValue::Array>(&value.data)) {
    for (const JsonValue& item : *items) {
      out += (out.empty() ? "" : ",") + escaped_of_json(item);
    }
    return "[" + out + "]";
  }
  if (const auto* object = std::get_if<JsonValue::Object>(&value.data)) {
    JsonValue::Object members = *object;
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    for (const auto& each : members) {
      out += (out.empty() ? "" : ",") + each.key + ":" +
             escaped_of_json(each.value);
    }
    return "{" + out + "}";
  }
  return json_text(value, JsonSpaces::kSpaced);
}

}  // namespace penstock::tools
