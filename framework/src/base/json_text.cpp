#include <nlohmann/json.hpp>
#include <utility>

#include "penstock/json.h"

namespace penstock {
namespace {

/// Nested no deeper than parse_json() lets a value be.
struct TextWriter {
  const char* comma;
  const char* colon;
  std::string out = {};

  void write(const JsonValue& value) { std::visit(*this, value.data); }
  void operator()(std::monostate /*null*/) { out += "null"; }
  void operator()(const JsonValue::Array& items) {
    out += '[';
    for (const JsonValue& item : items) {
      if (&item != items.data()) out += comma;
      write(item);
    }
    out += ']';
  }
  void operator()(const JsonValue::Object& members) {
    out += '{';
    for (const auto& member : members) {
      if (&member != members.data()) out += comma;
      out += json_quoted(member.key) + colon;
      write(member.value);
    }
    out += '}';
  }
  void operator()(const std::string& text) { out += json_quoted(text); }
  template <class Scalar>
  void operator()(const Scalar& scalar) {
    out += nlohmann::json(scalar).dump();
  }
};

}  // namespace

std::string json_text(const JsonValue& value, JsonSpaces spaces) {
  const bool has = spaces == JsonSpaces::kSpaced;
  TextWriter writer{.comma = has ? ", " : ",", .colon = has ? ": " : ":"};
  writer.write(value);
  return std::move(writer.out);
}

std::string json_quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false,
                                   nlohmann::json::error_handler_t::replace);
}

}  // namespace penstock
