#include "grammar/schema_lower.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "grammar/formats.h"
#include "grammar/keywords.h"
#include "grammar/pattern.h"
#include "grammar/schema_refs.h"

namespace penstock::grammar {
namespace {

using Object = JsonValue::Object;
using Array = JsonValue::Array;

JsonValue text_value(std::string text) { return {.data = std::move(text)}; }

class Lowering {
 public:
  Lowering(const JsonView& root, LoweredSchema& out) : root_(root), out_(out) {}

  JsonValue whole() {
    JsonValue made = schema(root_);
    Object definitions;
    while (!waiting_.empty()) {
      const auto [name, view] = waiting_.front();
      waiting_.pop_front();
      definitions.push_back({name, schema(view)});
    }
    if (!definitions.empty()) {
      std::get<Object>(made.data).push_back(
          {"$defs", {.data = std::move(definitions)}});
    }
    return made;
  }

 private:
  JsonValue schema(const JsonView& at, const std::string& fallback = "") {
    if (const auto* any = std::get_if<bool>(&at.value().data)) {
      if (*any) return {.data = Object()};
      return at.value();
    }
    const std::string_view alone = decider(at);
    if (alone == "$ref") return reference(at.at("$ref"));
    if (alone == "allOf") return schema(at.at("allOf").items()[0]);
    if (alone == "anyOf" || alone == "oneOf") return any_of(at.at(alone));
    if (!alone.empty()) return values(at);
    auto types = types_of(at);
    if (types.empty() && !fallback.empty()) types.push_back(fallback);
    if (types.empty()) return {.data = Object()};
    if (types.size() == 1) return typed(at, types[0]);
    Array branches;
    for (const std::string& type : types) branches.push_back(typed(at, type));
    return one("anyOf", {.data = std::move(branches)});
  }

  static JsonValue one(const char* key, JsonValue value) {
    return {.data = Object{{key, std::move(value)}}};
  }
  /// Also where a schema has null for it.
  static JsonValue values(const JsonView& at) {
    if (const auto list = at.find("enum")) return one("enum", list->value());
    return one("const", values_of(at).at(0).value());
  }
  JsonValue any_of(const JsonView& list) {
    Array branches;
    for (const JsonView& each : list.items()) branches.push_back(schema(each));
    return one("anyOf", {.data = std::move(branches)});
  }
  /// All places that are referred to stand side by side, under plain names.
  JsonValue reference(const JsonView& ref) {
    const JsonView to = ref_target(root_, ref);
    if (&to.value() == &root_.value()) return one("$ref", text_value("#"));
    const auto [place, is_new] =
        names_.try_emplace(&to.value(), "r" + std::to_string(names_.size()));
    if (is_new) waiting_.emplace_back(place->second, to);
    return one("$ref", text_value("#/$defs/" + place->second));
  }

  JsonValue typed(const JsonView& at, const std::string& type) {
    if (type == "string") return string(at);
    Object made{{"type", text_value(type)}};
    if (type == "array") add_items(at, made);
    if (type == "object") add_members(at, made);
    for (const std::string_view key : kBounds.at(type)) {
      const bool is_done = kOne.contains(key) || kLists.contains(key) ||
                           kMaps.contains(key) || key == "required";
      const auto bound = at.find(key);
      if (!bound || is_done) continue;
      JsonValue value = bound->value();
      if (type == "integer" && !bound->is_integer()) {
        value.data = static_cast<std::int64_t>(bound->real());
      }
      made.push_back({std::string(key), std::move(value)});
    }
    return {.data = std::move(made)};
  }

  JsonValue string(const JsonView& at) {
    Object made{{"type", text_value("string")}};
    const auto pattern = at.find("pattern"), format = at.find("format");
    if (pattern || format) {
      made.push_back(
          {"pattern",
           text_value(plain_pattern(
               pattern ? pattern->text() : format_pattern(format->text())))});
      return {.data = std::move(made)};
    }
    const auto least = at.find("minLength"), most = at.find("maxLength");
    if (!least && !most) return {.data = std::move(made)};
    return one(
        "const",
        text_value(out_.marker + std::to_string(length(
                                     {.least = least ? least->integer() : 0,
                                      .most = most ? most->integer() : -1}))));
  }
  std::size_t length(const TextLength& wanted) {
    auto& all = out_.lengths;
    const auto found = std::find(all.begin(), all.end(), wanted);
    const auto index = static_cast<std::size_t>(found - all.begin());
    if (found == all.end()) all.push_back(wanted);
    return index;
  }

  void add_items(const JsonView& at, Object& made) {
    const auto prefix = at.find("prefixItems");
    if (prefix) {
      Array items;
      for (const JsonView& each : prefix->items()) {
        items.push_back(schema(each));
      }
      made.push_back({"prefixItems", {.data = std::move(items)}});
    }
    auto rest = at.find("items");
    if (!rest) rest = at.find("unevaluatedItems");
    if (rest) made.push_back({"items", schema(*rest)});
    if (!rest && !prefix) made.push_back({"items", {.data = Object()}});
  }

  void add_members(const JsonView& at, Object& made) {
    const auto named = at.find("properties");
    const auto patterns = at.find("patternProperties");
    const auto names = at.find("propertyNames");
    auto others = at.find("additionalProperties");
    if (!others) others = at.find("unevaluatedProperties");
    if (named) add_map("properties", *named, made);
    if (patterns) add_patterns(*patterns, made);
    if (names) made.push_back({"propertyNames", schema(*names, "string")});
    if (const auto required = at.find("required")) {
      made.push_back({"required", required->value()});
    }
    if (others) add_others(*others, named, made);
    if (!others && !named && !patterns && !names) {
      made.push_back({"additionalProperties", {.data = true}});
    }
  }
  void add_others(const JsonView& others, const std::optional<JsonView>& named,
                  Object& made) {
    const auto* flag = std::get_if<bool>(&others.value().data);
    made.push_back({"additionalProperties",
                    flag != nullptr ? others.value() : schema(others)});
    if (!named || named->members().empty() || (flag != nullptr && !*flag)) {
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, each] : named->members()) names.push_back(name);
    made.push_back(
        {"propertyNames",
         one("const", text_value(out_.marker + "n" +
                                 std::to_string(out_.names.size())))});
    out_.names.push_back(std::move(names));
  }
  void add_map(const char* key, const JsonView& map, Object& made) {
    Object members;
    for (const auto& [name, each] : map.members()) {
      members.push_back({name, schema(each)});
    }
    made.push_back({key, {.data = std::move(members)}});
  }
  void add_patterns(const JsonView& map, Object& made) {
    Object members;
    for (const auto& [name, each] : map.members()) {
      members.push_back({plain_pattern(name), schema(each)});
    }
    made.push_back({"patternProperties", {.data = std::move(members)}});
  }

  const JsonView& root_;
  LoweredSchema& out_;
  std::map<const JsonValue*, std::string> names_;
  std::deque<std::pair<std::string, JsonView>> waiting_;
};

}  // namespace

LoweredSchema lower_schema(const JsonView& root, const std::string& source) {
  LoweredSchema out;
  out.marker = "~length~";
  while (source.find(out.marker) != source.npos) out.marker += '~';
  out.text = json_text(Lowering(root, out).whole());
  return out;
}

}  // namespace penstock::grammar
