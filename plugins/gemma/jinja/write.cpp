// Values as text: Python's str() and repr().
#include <array>
#include <charconv>
#include <cmath>

#include "gemma/jinja/utf8.h"
#include "gemma/jinja/value.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

/// The shortest digits that read back, as repr() has them.
std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const double size = std::abs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e16);
  char* const end =
      std::to_chars(
          buffer.data(), buffer.data() + buffer.size(), value,
          is_plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  std::string out(buffer.data(), end);
  if (is_plain && out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string escape(char32_t code) {
  static constexpr const char* kHex = "0123456789abcdef";
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  const int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
  std::string out = code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
  for (int i = digits - 1; i >= 0; --i) out += kHex[code >> (4 * i) & 15U];
  return out;
}

/// In single quotes, or double ones where it has single ones only.
Text quoted(const Text& text) {
  const bool has_single = text.bytes().find('\'') != std::string::npos;
  const bool has_double = text.bytes().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  const Text ends(std::string(1, quote));
  Text out = ends;
  const auto at = text.characters();
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const char32_t code = code_point(text.bytes(), at[i]);
    if (!is_printable(code)) {
      out += Text(escape(code));
      continue;
    }
    if (code == static_cast<char32_t>(quote) || code == '\\') {
      out += Text("\\");
    }
    out += text.part(at[i], at[i + 1] - at[i]);
  }
  return out += ends;
}

/// With commas between, and one behind a tuple's only item.
Text listed(const Listing& list) {
  struct Ends {
    const char* open;
    const char* close;
  };
  constexpr std::array<Ends, 6> kEnds{{{"[", "]"},
                                       {"(", ")"},
                                       {"(", ")"},
                                       {"dict_items([", "])"},
                                       {"dict_keys([", "])"},
                                       {"dict_values([", "])"}}};
  const Ends& ends = kEnds.at(static_cast<std::size_t>(list.kind));
  Text out(ends.open);
  for (std::size_t i = 0; i < list.items->size(); ++i) {
    if (i > 0) out += Text(", ");
    out += repr((*list.items)[i]);
  }
  const bool is_single =
      list.kind == ListKind::kTuple && list.items->size() == 1;
  return (out += Text(is_single ? "," : "")) += Text(ends.close);
}

}  // namespace

Text repr(const Value& value) {
  if (const auto* text = value.as<Text>()) return quoted(*text);
  if (value.is_undefined()) return Text("Undefined");
  return to_text(value);
}

Text to_text(const Value& value) {
  if (const auto* text = value.as<Text>()) return *text;
  if (value.is_undefined()) return {};
  if (value.is_none()) return Text("None");
  if (const auto* truth = value.as<bool>()) {
    return Text(*truth ? "True" : "False");
  }
  if (const auto* integer = value.as<std::int64_t>()) {
    return Text(std::to_string(*integer));
  }
  if (const auto* real = value.as<double>()) return Text(real_text(*real));
  if (const auto* list = value.as<Listing>()) return listed(*list);
  const auto* map = value.as<Mapping>();
  if (map == nullptr) {
    throw Error(Code::kData, "a function cannot be printed");
  }
  Text out(map->is_namespace ? "<Namespace {" : "{");
  for (const auto& [key, member] : *map->map) {
    if (&key != &map->map->front().first) out += Text(", ");
    out += repr(key);
    (out += Text(": ")) += repr(member);
  }
  return out += Text(map->is_namespace ? "}>" : "}");
}

}  // namespace penstock::gemma::jinja
