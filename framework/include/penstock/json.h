// JSON of files that nobody has checked yet: read within limits into plain
// values, and looked at through a view that knows the file and the key, so
// that every complaint names its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/export.h"

namespace penstock {

struct JsonValue {
  struct Member;
  using Array = std::vector<JsonValue>;
  /// In the order of the file; no key stands there twice.
  using Object = std::vector<Member>;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array,
               Object>
      data;  ///< monostate: null
};

struct JsonValue::Member {
  std::string key;
  JsonValue value;
};

struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20U;
  std::size_t depth = 32;  ///< of arrays and objects inside each other
  std::size_t values = 1'000'000;
};

/// `file` is for messages. Throws Error(kData) for what is no JSON, has a key
/// twice, is not UTF-8, or goes beyond a limit.
[[nodiscard]] PENSTOCK_API JsonValue parse_json(std::string_view text,
                                                std::string_view file,
                                                const JsonLimits& limits = {});
/// The same of a file; Error(kNotFound) when it cannot be read.
[[nodiscard]] PENSTOCK_API JsonValue
read_json(const std::filesystem::path& path, const JsonLimits& limits = {});

/// Whether commas and colons have a space behind them.
enum class JsonSpaces {
  kTight,
  kSpaced,  ///< a space, as models see JSON most
};
/// The value as text again, on one line, members in their order; what is no
/// UTF-8 becomes U+FFFD.
[[nodiscard]] PENSTOCK_API std::string json_text(
    const JsonValue& value, JsonSpaces spaces = JsonSpaces::kTight);
/// A text in quotes, escaped.
[[nodiscard]] PENSTOCK_API std::string json_quoted(const std::string& text);

/// A value and where it stands. The value must outlive the view. The getters
/// throw Error(kData) when it is of another kind.
class PENSTOCK_API JsonView {
 public:
  JsonView(const JsonValue& value, std::string file)
      : value_(&value), file_(std::move(file)) {}

  /// A member; nothing where there is none or it is null.
  [[nodiscard]] std::optional<JsonView> find(std::string_view key) const;
  /// Throws where find() gives nothing.
  [[nodiscard]] JsonView at(std::string_view key) const;
  [[nodiscard]] std::vector<JsonView> items() const;  ///< of an array
  /// Of an object: its keys and their values.
  [[nodiscard]] std::vector<std::pair<std::string, JsonView>> members() const;

  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] std::int64_t integer(std::int64_t least,
                                     std::int64_t most) const;
  [[nodiscard]] double real() const;  ///< an integer too; always finite
  [[nodiscard]] const std::string& text() const;

  [[nodiscard]] bool is_integer() const;
  [[nodiscard]] bool is_text() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_object() const;

  /// What is looked at, for long lists.
  [[nodiscard]] const JsonValue& value() const { return *value_; }
  /// "FILE: a.b[2] " and `problem`, as an Error(kData).
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  JsonView(const JsonValue& value, std::string file, std::string place)
      : value_(&value), file_(std::move(file)), place_(std::move(place)) {}
  template <class T>
  [[nodiscard]] const T& as(const char* expected) const;

  const JsonValue* value_;
  std::string file_;
  std::string place_;  ///< "a.b[2]"; empty: the whole
};

}  // namespace penstock
