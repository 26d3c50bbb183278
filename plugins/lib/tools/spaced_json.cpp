#include "lib/tools/spaced_json.h"

#include <nlohmann/json.hpp>

namespace penstock::tools {
namespace {

/// Nested no deeper than parse_json() lets a value be.
struct SpacedWriter {
  std::string out;

  void write(const JsonValue& value) { std::visit(*this, value.data); }
  void operator()(std::monostate /*null*/) { out += "null"; }
  void operator()(const JsonValue::Array& items) {
    out += '[';
    for (const JsonValue& item : items) {
      if (&item != items.data()) out += ", ";
      write(item);
    }
    out += ']';
  }
  void operator()(const JsonValue::Object& members) {
    out += '{';
    for (const auto& member : members) {
      if (&member != members.data()) out += ", ";
      out += quoted(member.key) + ": ";
      write(member.value);
    }
    out += '}';
  }
  void operator()(const std::string& text) { out += quoted(text); }
  template <class Scalar>
  void operator()(const Scalar& scalar) {
    out += nlohmann::json(scalar).dump();
  }
};

}  // namespace

std::string spaced_json(const JsonValue& value) {
  SpacedWriter writer;
  writer.write(value);
  return std::move(writer.out);
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false,
                                   nlohmann::json::error_handler_t::replace);
}

}  // namespace penstock::tools
