// Values as text: Python's str() and repr(), and json.dumps().
#include <array>
#include <charconv>
#include <cmath>

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

void add(Text& to, const char* bytes) { to += Text(bytes); }

Text repr(const Value& value);

template <class Write>
Text joined(const List& items, Write&& write) {
  Text out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) add(out, ", ");
    out += write(items[i]);
  }
  return out;
}

/// In single quotes, or double ones where it has single ones only.
Text quoted(const Text& text) {
  const bool has_single = text.bytes().find('\'') != std::string::npos;
  const bool has_double = text.bytes().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  Text out(std::string(1, quote));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text.bytes()[i];
    if (c == '\n') {
      add(out, "\\n");
    } else if (c == '\t') {
      add(out, "\\t");
    } else if (c == '\r') {
      add(out, "\\r");
    } else {
      if (c == quote || c == '\\') add(out, "\\");
      out += text.part(i, 1);
    }
  }
  return out += Text(std::string(1, quote));
}

Text repr(const Value& value) {
  if (const auto* text = value.as<Text>()) return quoted(*text);
  if (value.is_undefined()) return Text("Undefined");
  return to_text(value);
}

Text json_text(const Text& text) {
  static constexpr const char* kHex = "0123456789abcdef";
  Text out("\"");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text.bytes()[i];
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        add(out, "\\\"");
        break;
      case '\\':
        add(out, "\\\\");
        break;
      case '\n':
        add(out, "\\n");
        break;
      case '\r':
        add(out, "\\r");
        break;
      case '\t':
        add(out, "\\t");
        break;
      case '\b':
        add(out, "\\b");
        break;
      case '\f':
        add(out, "\\f");
        break;
      default:
        if (byte < 0x20) {
          out +=
              Text(std::string("\\u00") + kHex[byte >> 4U] + kHex[byte & 15U]);
        } else {
          out += text.part(i, 1);
        }
    }
  }
  return out += Text("\"");
}

class JsonWriter {
 public:
  explicit JsonWriter(int indent) : indent_(indent) {}

  Text write(const Value& value) {
    if (const auto* text = value.as<Text>()) return json_text(*text);
    if (const auto* truth = value.as<bool>()) {
      return Text(*truth ? "true" : "false");
    }
    if (value.is_none()) return Text("null");
    if (is_number(value)) return to_text(value);
    if (const auto* list = value.list()) {
      return block("[", "]", list->size(),
                   [&](std::size_t i) { return write((*list)[i]); });
    }
    if (const auto* map = value.map()) {
      return block("{", "}", map->size(), [&](std::size_t i) {
        Text out = json_text(Text((*map)[i].first, /*is_content=*/true));
        return (out += Text(": ")) += write((*map)[i].second);
      });
    }
    throw Error(Code::kData, str("tojson: cannot write ", kind(value)));
  }

 private:
  template <class Item>
  Text block(const char* open, const char* close, std::size_t count,
             Item&& item) {
    Text out(open);
    ++depth_;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) add(out, indent_ < 0 ? ", " : ",");
      out += line();
      out += item(i);
    }
    --depth_;
    if (count > 0) out += line();
    return out += Text(close);
  }
  [[nodiscard]] Text line() const {
    if (indent_ < 0) return {};
    return Text("\n" +
                std::string(static_cast<std::size_t>(indent_ * depth_), ' '));
  }

  int indent_;
  int depth_ = 0;
};

}  // namespace

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
  if (const auto* list = value.list()) {
    Text out("[");
    return (out += joined(*list, repr)) += Text("]");
  }
  if (const auto* map = value.map()) {
    Text out("{");
    for (std::size_t i = 0; i < map->size(); ++i) {
      if (i > 0) add(out, ", ");
      out += quoted(Text((*map)[i].first, /*is_content=*/true));
      add(out, ": ");
      out += repr((*map)[i].second);
    }
    return out += Text("}");
  }
  throw Error(Code::kData, "a function cannot be printed");
}

Text to_json(const Value& value, int indent) {
  return JsonWriter(indent).write(value);
}

}  // namespace penstock::gemma::jinja
