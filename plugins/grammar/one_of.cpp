#include "grammar/one_of.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grammar/canonical_json.h"
#include "grammar/keywords.h"
#include "grammar/schema_refs.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostBranches = 64;

using Names = std::set<std::string>;

/// The schema itself, behind references and single allOf. check_refs() looks
/// that they end.
JsonView resolved(const JsonView& root, JsonView schema) {
  for (int i = 0; i < 64 && schema.is_object(); ++i) {
    if (const auto ref = schema.find("$ref")) {
      schema = ref_target(root, *ref);
    } else if (const auto all = schema.find("allOf");
               all && all->items().size() == 1) {
      schema = all->items()[0];
    } else {
      break;
    }
  }
  return schema;
}

/// The types that values of a schema may have.
class Types {
 public:
  explicit Types(const JsonView& root) : root_(root) {}

  void add(const JsonView& at) {
    const JsonView schema = resolved(root_, at);
    if (!seen_.insert(&schema.value()).second) return;
    if (!schema.is_object()) return add_all();
    const auto values = values_of(schema);
    for (const JsonView& value : values) add_value(value.value());
    if (!values.empty()) return;
    for (const char* key : {"anyOf", "oneOf"}) {
      const auto list = schema.find(key);
      if (!list) continue;
      for (const JsonView& each : list->items()) add(each);
      return;
    }
    const auto named = types_of(schema);
    for (const std::string& type : named) {
      found_.insert(type);
      if (type == "number") found_.insert("integer");
    }
    if (named.empty()) add_all();
  }
  [[nodiscard]] const Names& found() const { return found_; }

 private:
  void add_value(const JsonValue& value) {
    const auto* real = std::get_if<double>(&value.data);
    const bool is_whole = real != nullptr && std::trunc(*real) == *real;
    found_.insert(is_whole ? "integer" : std::string(type_of(value)));
  }
  void add_all() {
    for (const auto& [type, bounds] : kBounds) found_.insert(std::string(type));
  }

  const JsonView& root_;
  Names found_;
  std::set<const JsonValue*> seen_;
};

/// The values that a schema allows; none: it is not said.
Names allowed(const JsonView& schema) {
  Names out;
  if (!schema.is_object()) return out;
  for (const JsonView& each : values_of(schema)) {
    out.insert(canonical_json(each.value()));
  }
  return out;
}

/// One schema of the list.
struct Branch {
  Names types, values;
  std::map<std::string, Names> members;  ///< required, and with such values

  Branch(const JsonView& root, const JsonView& at) {
    Types found(root);
    found.add(at);
    types = found.found();
    const JsonView schema = resolved(root, at);
    values = allowed(schema);
    if (!schema.is_object() || types != Names{"object"}) return;
    const auto required = schema.find("required");
    const auto properties = schema.find("properties");
    if (!required || !properties) return;
    for (const JsonView& name : required->items()) {
      const auto member = properties->find(name.text());
      if (!member) continue;
      Names own = allowed(resolved(root, *member));
      if (!own.empty()) members[name.text()] = std::move(own);
    }
  }
};

bool overlap(const Names& a, const Names& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& each) { return b.contains(each); });
}

bool differ(const Branch& a, const Branch& b) {
  if (!overlap(a.types, b.types)) return true;
  if (!a.values.empty() && !b.values.empty() && !overlap(a.values, b.values)) {
    return true;
  }
  return std::any_of(a.members.begin(), a.members.end(), [&](const auto& mine) {
    const auto other = b.members.find(mine.first);
    return other != b.members.end() && !overlap(mine.second, other->second);
  });
}

}  // namespace

void check_one_of(const JsonView& root, const JsonView& list) {
  const auto schemas = list.items();
  if (schemas.empty()) list.fail("holds no schema");
  if (schemas.size() > kMostBranches) {
    list.fail(
        str("holds ", schemas.size(), " schemas; the most is ", kMostBranches));
  }
  std::vector<Branch> branches;
  branches.reserve(schemas.size());
  for (const JsonView& each : schemas) branches.emplace_back(root, each);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    for (std::size_t j = i + 1; j < branches.size(); ++j) {
      if (differ(branches[i], branches[j])) continue;
      list.fail(str("has schemas that a value may fit both, [", i, "] and [", j,
                    "], which is not supported; write anyOf, or give both a "
                    "required member with a const of its own"));
    }
  }
}

}  // namespace penstock::grammar
