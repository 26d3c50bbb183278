#include "pipeline_run/input/json_text.h"

#include <nlohmann/json.hpp>

namespace penstock::run {
namespace {

/// Nested no deeper than parse_json() lets a value be.
struct Writer {
  std::string out;

  void write(const JsonValue& value) { std::visit(*this, value.data); }
  void operator()(std::monostate /*null*/) { out += "null"; }
  void operator()(const JsonValue::Array& items) {
    out += '[';
    for (const JsonValue& item : items) {
      if (&item != items.data()) out += ',';
      write(item);
    }
    out += ']';
  }
  void operator()(const JsonValue::Object& members) {
    out += '{';
    for (const auto& member : members) {
      if (&member != members.data()) out += ',';
      (*this)(member.key);
      out += ':';
      write(member.value);
    }
    out += '}';
  }
  template <class Scalar>
  void operator()(const Scalar& scalar) {
    out += nlohmann::json(scalar).dump();
  }
};

}  // namespace

std::string json_text(const JsonValue& value) {
  Writer writer;
  writer.write(value);
  return std::move(writer.out);
}

}  // namespace penstock::run
