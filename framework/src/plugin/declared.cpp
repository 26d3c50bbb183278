#include "plugin/declared.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "base/quote.h"
#include "penstock/error.h"
#include "plugin/search.h"

namespace penstock::plugin {

namespace {

[[noreturn]] void fail(const StageSpec& stage, const std::string& problem) {
  throw Error(Code::kInternal, str("stage '", stage.name, "' ", problem));
}

void check_name(const StageSpec& stage, const ParamSpec& param,
                std::set<std::string>& seen) {
  // Keys that a pipeline file gives a meaning of its own.
  constexpr std::array<std::string_view, 3> kReserved{"use", "device", "model"};
  const std::string named = str("has a param named '", param.name, "'");
  if (!is_valid_name(param.name)) {
    fail(stage, str(named, "; a name is ", kNameRule));
  }
  if (std::find(kReserved.begin(), kReserved.end(), param.name) !=
      kReserved.end()) {
    fail(stage, named + ", which every stage has already; take another name");
  }
  if (!seen.insert(param.name).second) {
    fail(stage, str("has two params named '", param.name, "'"));
  }
}

void check_bounds(const StageSpec& stage, const ParamSpec& param) {
  const std::string named = str("gives its param '", param.name, "' ");
  const ParamType type = param.type();
  const bool is_text = type == ParamType::kText || type == ParamType::kTexts;
  const bool is_bool = type == ParamType::kBool;
  if ((param.min || param.max) && (is_text || is_bool)) {
    fail(stage, str(named, "a range, but it is of the type '", to_string(type),
                    "'; ranges are for numbers"));
  }
  if (!param.choices.empty() && !is_text) {
    fail(stage, str(named, "choices, but it is of the type '", to_string(type),
                    "'; choices are for texts"));
  }
  const bool is_number = !(param.min && std::isnan(*param.min)) &&
                         !(param.max && std::isnan(*param.max));
  if (!is_number || (param.min && param.max && *param.min > *param.max)) {
    fail(stage,
         str(named, "the range ", to_string(ParamValue(param.min.value_or(0))),
             "..", to_string(ParamValue(param.max.value_or(0))),
             ", which holds nothing; write the smaller bound first"));
  }
}

/// A default as somebody would write it, to be read by the same rules.
Raw as_written(const ParamValue& value) {
  const auto scalar = [](const auto& one) {
    using T = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<T, std::string>) {
      return RawScalar{.text = one, .quoted = true};
    } else {
      return RawScalar{.text = to_string(ParamValue(one)), .quoted = false};
    }
  };
  const auto write = [&scalar](const auto& one) -> Raw {
    using T = std::decay_t<decltype(one)>;
    if constexpr (is_one_of<T>(
                      static_cast<const std::variant<bool, std::int64_t, double,
                                                     std::string>*>(nullptr))) {
      return scalar(one);
    } else {
      std::vector<RawScalar> list;
      for (const auto& item : one) list.push_back(scalar(item));
      return list;
    }
  };
  return std::visit(write, value);
}

void check_default(const StageSpec& stage, const ParamSpec& param) {
  try {
    (void)parse_param(param, as_written(param.fallback));
  } catch (const Error& error) {
    fail(stage,
         str("gives its param '", param.name,
             "' a default that no pipeline file may write: ", error.text()));
  }
}

void check_port(const StageSpec& stage, const Port& port) {
  static const std::vector<std::string> kDtypes{
      "bool", "u8",  "i8",  "i16",    "i32",  "i64",  "f16",
      "bf16", "f32", "f64", "tokens", "text", "media"};
  if (std::find(kDtypes.begin(), kDtypes.end(), port.dtype) != kDtypes.end()) {
    return;
  }
  fail(stage, str("has a port '", to_string(port), "' of the unknown dtype ",
                  shown(port.dtype), suggestion(port.dtype, kDtypes),
                  "; known: ", joined(kDtypes)));
}

}  // namespace

void check_declared(const StageSpec& stage) {
  if (stage.doc.empty()) {
    fail(stage, "has no doc; say in a line what it does");
  }
  std::set<std::string> seen;
  for (const ParamSpec& param : stage.params.specs()) {
    check_name(stage, param, seen);
    if (param.doc.empty()) {
      fail(stage, str("has no doc for its param '", param.name,
                      "'; say in a line what it means, and its unit"));
    }
    check_bounds(stage, param);
    check_default(stage, param);
  }
  for (const Port& port : stage.inputs) check_port(stage, port);
  for (const Port& port : stage.outputs) check_port(stage, port);
}

}  // namespace penstock::plugin
