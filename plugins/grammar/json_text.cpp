#include "grammar/json_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace penstock::grammar {
namespace {

void add_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
      continue;
    }
    std::array<char, 8> escape{};
    (void)std::snprintf(escape.data(), escape.size(), "\\u%04x",
                        static_cast<unsigned>(c));
    out += escape.data();
  }
  out += '"';
}

void add_real(std::string& out, double value) {
  std::array<char, 32> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%.17g", value);
  out += digits.data();
}

struct Printer {
  std::string& out;

  void print(const JsonValue& value) { std::visit(*this, value.data); }
  void operator()(std::monostate /*null*/) { out += "null"; }
  void operator()(bool value) { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) { out += std::to_string(value); }
  void operator()(double value) { add_real(out, value); }
  void operator()(const std::string& value) { add_text(out, value); }
  void operator()(const JsonValue::Array& values) {
    out += '[';
    for (const JsonValue& each : values) {
      if (&each != values.data()) out += ',';
      print(each);
    }
    out += ']';
  }
  void operator()(const JsonValue::Object& members) {
    out += '{';
    for (const auto& each : members) {
      if (&each != members.data()) out += ',';
      add_text(out, each.key);
      out += ':';
      print(each.value);
    }
    out += '}';
  }
};

/// Numbers as integers where they are, members by their names.
JsonValue canonical(const JsonValue& value) {
  JsonValue out = value;
  if (const auto* real = std::get_if<double>(&value.data)) {
    constexpr double kExact = 9007199254740992;  // 2^53
    const bool is_whole = std::trunc(*real) == *real;
    if (is_whole && std::abs(*real) <= kExact) {
      out.data = static_cast<std::int64_t>(*real);
    }
  } else if (auto* items = std::get_if<JsonValue::Array>(&out.data)) {
    for (JsonValue& each : *items) each = canonical(each);
  } else if (auto* members = std::get_if<JsonValue::Object>(&out.data)) {
    for (auto& each : *members) each.value = canonical(each.value);
    std::sort(members->begin(), members->end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }
  return out;
}

}  // namespace

std::string json_text(const JsonValue& value) {
  std::string out;
  Printer{out}.print(value);
  return out;
}

std::string canonical_json(const JsonValue& value) {
  return json_text(canonical(value));
}

}  // namespace penstock::grammar
