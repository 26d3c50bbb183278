#include "grammar/schema_refs.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/error.h"

namespace penstock::grammar {
namespace {

/// A step of a JSON pointer, with ~1 and ~0 as what they stand for.
std::string unescaped(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool is_slash = step.substr(i, 2) == "~1";
    const bool is_tilde = step.substr(i, 2) == "~0";
    out += is_slash ? '/' : step[i];
    if (is_slash || is_tilde) ++i;
  }
  return out;
}

std::optional<JsonView> child(const JsonView& of, const std::string& step) {
  if (of.is_object()) return of.find(step);
  if (!of.is_array() || step.empty() || step.size() > 6 ||
      step.find_first_not_of("0123456789") != step.npos) {
    return std::nullopt;
  }
  const auto items = of.items();
  const std::size_t index = std::stoul(step);
  if (index >= items.size()) return std::nullopt;
  return items[index];
}

}  // namespace

JsonView ref_target(const JsonView& root, const JsonView& ref) {
  const std::string& uri = ref.text();
  if (uri != "#" && !uri.starts_with("#/")) {
    ref.fail("refers to '" + uri +
             "'; only places of the same schema can be meant, as #/$defs/name");
  }
  JsonView at = root;
  for (std::size_t begin = uri.find('/'); begin != uri.npos;) {
    const std::size_t end = uri.find('/', begin + 1);
    const auto step = std::string_view(uri).substr(
        begin + 1, end == uri.npos ? end : end - begin - 1);
    const auto next = child(at, unescaped(step));
    if (!next) ref.fail("refers to '" + uri + "', which is not there");
    at = *next;
    begin = end;
  }
  return at;
}

namespace {

/// Follows what is the same value as the schema itself.
class Chains {
 public:
  Chains(const JsonView& root, const SchemaSet& schemas)
      : root_(root), schemas_(schemas) {}

  void look(const JsonView& schema) {
    if (!schema.is_object() || done_.contains(&schema.value())) return;
    if (!open_.insert(&schema.value()).second) {
      schema.fail("refers to itself, without anything in between");
    }
    if (const auto ref = schema.find("$ref")) look(schema_of(*ref));
    for (const char* key : {"anyOf", "oneOf", "allOf"}) {
      const auto list = schema.find(key);
      if (!list || !list->is_array()) continue;
      for (const JsonView& each : list->items()) look(each);
    }
    open_.erase(&schema.value());
    done_.insert(&schema.value());
  }

  [[nodiscard]] bool is_schema(const JsonView& at) const {
    return schemas_.contains(&at.value());
  }

 private:
  [[nodiscard]] JsonView schema_of(const JsonView& ref) const {
    const JsonView schema = ref_target(root_, ref);
    if (is_schema(schema)) return schema;
    ref.fail("refers to '" + ref.text() + "', where no schema stands");
  }

  const JsonView& root_;
  const SchemaSet& schemas_;
  std::set<const JsonValue*> open_, done_;
};

void visit(const JsonView& at, Chains& chains) {
  if (at.is_array()) {
    for (const JsonView& each : at.items()) visit(each, chains);
  } else if (at.is_object()) {
    if (chains.is_schema(at) && at.find("$ref")) chains.look(at);
    for (const auto& [key, each] : at.members()) visit(each, chains);
  }
}

}  // namespace

void check_refs(const JsonView& root, const SchemaSet& schemas) {
  Chains chains(root, schemas);
  visit(root, chains);
}

}  // namespace penstock::grammar
