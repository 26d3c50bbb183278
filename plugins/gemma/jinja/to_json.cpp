// Values as JSON: Python's json.dumps().
#include <algorithm>
#include <cmath>

#include "gemma/jinja/builtins.h"
#include "gemma/jinja/utf8.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

std::string unit_escape(unsigned unit) {
  static constexpr const char* kHex = "0123456789abcdef";
  std::string out = "\\u";
  for (unsigned shift : {12U, 8U, 4U, 0U}) out += kHex[unit >> shift & 15U];
  return out;
}

/// Beyond 16 bits: two of UTF-16's.
std::string escapes(char32_t code) {
  if (code < 0x10000) return unit_escape(code);
  const unsigned rest = code - 0x10000U;
  return unit_escape(0xD800U + (rest >> 10U)) +
         unit_escape(0xDC00U + (rest & 0x3FFU));
}

Text json_text(const Text& text, bool is_ascii) {
  constexpr std::string_view kFrom = "\"\\\n\r\t\b\f";
  constexpr std::string_view kTo = "\"\\nrtbf";
  Text out("\"");
  const auto at = text.characters();
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const char32_t code = code_point(text.bytes(), at[i]);
    const auto known = code < 0x80 ? kFrom.find(static_cast<char>(code))
                                   : std::string_view::npos;
    if (known != kFrom.npos) {
      out += Text(std::string{'\\', kTo[known]});
    } else if (code < 0x20 || (is_ascii && code > 0x7E)) {
      out += Text(code == 0x7F ? "\x7F" : escapes(code));
    } else {
      out += text.part(at[i], at[i + 1] - at[i]);
    }
  }
  return out += Text("\"");
}

Text json_number(const Value& value) {
  if (const auto* truth = value.as<bool>()) {
    return Text(*truth ? "true" : "false");
  }
  const double real = number(value);
  if (std::isnan(real)) return Text("NaN");
  if (std::isinf(real)) return Text(real < 0 ? "-Infinity" : "Infinity");
  return to_text(value);
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  Text write(const Value& value) {
    if (const auto* text = value.as<Text>()) {
      return json_text(*text, style_.is_ascii);
    }
    if (value.is_none()) return Text("null");
    if (is_number(value)) return json_number(value);
    const auto* list = value.as<Listing>();
    if (list != nullptr &&
        (list->kind == ListKind::kList || list->kind == ListKind::kTuple ||
         list->kind == ListKind::kGroup)) {
      return block("[", "]", list->items->size(),
                   [&](std::size_t i) { return write((*list->items)[i]); });
    }
    const auto* map = value.as<Mapping>();
    if (map == nullptr || map->is_namespace) {
      throw Error(Code::kData, str("tojson: cannot write ", kind(value)));
    }
    const Dict members = sorted(*map->map);
    return block("{", "}", members.size(), [&](std::size_t i) {
      Text out = key(members[i].first);
      return (out += style_.after_key) += write(members[i].second);
    });
  }

 private:
  [[nodiscard]] Dict sorted(Dict members) const {
    if (!style_.is_sorted) return members;
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) {
                       return compare(a.first, b.first) < 0;
                     });
    return members;
  }
  [[nodiscard]] Text key(const Value& value) const {
    if (const auto* text = value.as<Text>()) {
      return json_text(*text, style_.is_ascii);
    }
    if (!is_number(value) && !value.is_none()) {
      throw Error(Code::kData,
                  str("tojson: cannot write ", kind(value), " as a key"));
    }
    Text out("\"");
    out += value.is_none() ? Text("null") : json_number(value);
    return out += Text("\"");
  }
  template <class Item>
  Text block(const char* open, const char* close, std::size_t count,
             Item&& item) {
    Text out(open);
    ++depth_;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += style_.between;
      if (style_.has_lines) out += line();
      out += item(i);
    }
    --depth_;
    if (count > 0 && style_.has_lines) out += line();
    return out += Text(close);
  }
  [[nodiscard]] Text line() const {
    Text out("\n");
    for (int i = 0; i < depth_; ++i) out += style_.indent;
    return out;
  }

  const JsonStyle& style_;
  int depth_ = 0;
};

}  // namespace

Text to_json(const Value& value, const JsonStyle& style) {
  return JsonWriter(style).write(value);
}

}  // namespace penstock::gemma::jinja
