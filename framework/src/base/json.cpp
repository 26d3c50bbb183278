#include "penstock/json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/quote.h"
#include "penstock/error.h"

namespace penstock {
namespace {

using Array = JsonValue::Array;
using Object = JsonValue::Object;

/// nlohmann's words quote what it read.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c - 0x20) > 0x5E; }, '?');
  return text.substr(0, 160);
}

/// Builds the value while nlohmann's parser walks over the text, which it
/// does without recursion.
class Builder {
 public:
  Builder(std::string_view file, const JsonLimits& limits)
      : file_(file), limits_(limits) {}

  // The names are those that nlohmann's parser calls.
  bool null() { return add({}); }
  bool boolean(bool value) { return add({value}); }
  bool number_integer(std::int64_t value) { return add({value}); }
  bool number_unsigned(std::uint64_t value) {
    if (value > std::numeric_limits<std::int64_t>::max()) {
      fail(str(where(), "the number ", value, " is too large"));
    }
    return add({static_cast<std::int64_t>(value)});
  }
  bool number_float(double value, const std::string& /*text*/) {
    if (!std::isfinite(value)) fail(where() + "a number is too large");
    return add({value});
  }
  bool string(std::string& value) { return add({std::move(value)}); }
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static)
  bool binary(std::vector<std::uint8_t>& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open({Object()}); }
  bool start_array(std::size_t /*size*/) { return open({Array()}); }
  bool key(std::string& value) {
    auto& member = std::get<Object>(open_.back()->data).emplace_back();
    member.key = std::move(value);
    return true;
  }
  bool end_object() {
    check_keys(std::get<Object>(open_.back()->data));
    open_.pop_back();
    return true;
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) {
    // "... syntax error while parsing X - REASON; last read: '...'"
    std::string reason = error.what();
    const auto dash = reason.find(" - ");
    if (dash != std::string::npos) {
      reason.erase(0, dash + 3);
    } else {  // "[json.exception.out_of_range.406] number overflow ..."
      reason.erase(0, reason.find("] ") + 2);
    }
    reason.resize(std::min(reason.size(), reason.find("; last read")));
    fail(str("is no JSON: at byte ", position, ": ", printable(reason)));
  }

  [[nodiscard]] JsonValue take() { return std::move(root_); }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Code::kData, str(file_, ": ", problem));
  }

  /// Where the next value stands, as JsonView says it: "a.b[2]: ".
  [[nodiscard]] std::string where() const {
    std::string out;
    for (const JsonValue* each : open_) {
      if (const auto* array = std::get_if<Array>(&each->data)) {
        // An open one stands in it already.
        const bool is_last = each == open_.back();
        out += str("[", array->size() - (is_last ? 0U : 1U), "]");
      } else {
        const auto& key = std::get<Object>(each->data).back().key;
        out += (out.empty() ? "" : ".") + key;
      }
    }
    return out.empty() ? out : printable(out) + ": ";
  }
  /// Where the next value belongs.
  JsonValue* place() {
    if (++count_ > limits_.values) {
      fail(str("more than ", limits_.values, " values"));
    }
    if (open_.empty()) return &root_;
    if (auto* const array = std::get_if<Array>(&open_.back()->data)) {
      return &array->emplace_back();
    }
    return &std::get<Object>(open_.back()->data).back().value;
  }
  bool add(JsonValue value) {
    *place() = std::move(value);
    return true;
  }
  bool open(JsonValue value) {
    if (open_.size() == limits_.depth) {
      fail(str("nested deeper than ", limits_.depth));
    }
    JsonValue* const at = place();
    *at = std::move(value);
    open_.push_back(at);
    return true;
  }
  void check_keys(const Object& object) const {
    std::vector<std::string_view> keys;
    keys.reserve(object.size());
    for (const auto& [key, value] : object) keys.emplace_back(key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) {
      fail(str("the key ", shown(*twice), " stands there twice"));
    }
  }

  std::string_view file_;
  const JsonLimits& limits_;
  JsonValue root_;
  // A value is filled before its neighbour is added, so these stay valid.
  std::vector<JsonValue*> open_;
  std::size_t count_ = 0;
};

std::string_view kind_of(const JsonValue& value) {
  constexpr std::array<std::string_view, 7> kNames{
      "null",   "true or false", "an integer", "a number",
      "a text", "a list",        "an object"};
  return kNames[value.data.index()];
}

}  // namespace

JsonValue parse_json(std::string_view text, std::string_view file,
                     const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw Error(Code::kData,
                str(file, ": ", text.size(),
                    " bytes of JSON, expected at most ", limits.bytes));
  }
  Builder builder(file, limits);
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

JsonValue read_json(const std::filesystem::path& path,
                    const JsonLimits& limits) {
  std::ifstream in(path, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(path)) {
    throw Error(Code::kNotFound, str("cannot read '", path.string(), "'"));
  }
  const auto size = std::filesystem::file_size(path);
  if (size > limits.bytes) {
    throw Error(Code::kData,
                str(path.string(), ": ", size,
                    " bytes of JSON, expected at most ", limits.bytes));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return parse_json(text.str(), path.string(), limits);
}

void JsonView::fail(const std::string& problem) const {
  throw Error(Code::kData,
              str(file_, ": ", place_, place_.empty() ? "" : " ", problem));
}

template <class T>
const T& JsonView::as(const char* expected) const {
  const T* const found = std::get_if<T>(&value_->data);
  if (found == nullptr) {
    fail(str("is ", kind_of(*value_), ", expected ", expected));
  }
  return *found;
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  for (const auto& [name, value] : as<Object>("an object")) {
    if (name != key || value.data.index() == 0) continue;
    return JsonView(value, file_, (place_.empty() ? "" : place_ + ".") + name);
  }
  return std::nullopt;
}

JsonView JsonView::at(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  fail(str("has no key '", key, "'"));
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> all;
  for (const auto& value : as<Array>("a list")) {
    all.push_back(JsonView(value, file_, str(place_, "[", all.size(), "]")));
  }
  return all;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> all;
  for (const auto& [name, value] : as<Object>("an object")) {
    const std::string place =
        (place_.empty() ? "" : place_ + ".") + shown(name);
    all.emplace_back(name, JsonView(value, file_, place));
  }
  return all;
}

bool JsonView::boolean() const { return as<bool>("true or false"); }
std::int64_t JsonView::integer() const {
  return as<std::int64_t>("an integer");
}
std::int64_t JsonView::integer(std::int64_t least, std::int64_t most) const {
  const std::int64_t value = integer();
  if (value < least || value > most) {
    fail(str("is ", value, ", expected ", least, " to ", most));
  }
  return value;
}
double JsonView::real() const {
  if (is_integer()) return static_cast<double>(integer());
  return as<double>("a number");
}
const std::string& JsonView::text() const { return as<std::string>("a text"); }

bool JsonView::is_integer() const {
  return std::holds_alternative<std::int64_t>(value_->data);
}
bool JsonView::is_text() const {
  return std::holds_alternative<std::string>(value_->data);
}
bool JsonView::is_array() const {
  return std::holds_alternative<Array>(value_->data);
}
bool JsonView::is_object() const {
  return std::holds_alternative<Object>(value_->data);
}

}  // namespace penstock
