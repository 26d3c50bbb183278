#include "grammar/escaped_grammar.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "lib/tools/arguments_end.h"
#include "lib/tools/escaped_arguments.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostNestedSchemas = 16;

/// Rules that every grammar may use.
constexpr const char* kScalars = R"(
text ::= "<escape>" letter* "<escape>"
letter ::= [^<] | "<" [^e<]
integer ::= "-"? ("0" | [1-9] [0-9]*)
number ::= integer ("." [0-9]+)? ([eE] [+\-]? [0-9]+)?
boolean ::= "true" | "false"
null ::= "null"
)";

/// Say nothing of the value.
const std::set<std::string_view> kSilent{"title",    "description", "default",
                                         "examples", "$comment",    "$schema"};

std::string literal(const std::string& text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else {
      out += byte;
    }
  }
  return out + "\"";
}

class EscapedWriter {
 public:
  std::string whole(const JsonView& schema) {
    const std::string root = object(schema, 0);
    return "root ::= " + root + "\n" + rules_ + kScalars;
  }

 private:
  std::string rule(const std::string& body) {
    std::string name = str("r", count_++);
    rules_ += name + " ::= " + body + "\n";
    return name;
  }

  static void check_keys(const JsonView& schema,
                         const std::set<std::string_view>& known) {
    for (const auto& [key, value] : schema.members()) {
      if (known.contains(key) || kSilent.contains(key)) continue;
      schema.fail(str("has '", key, "', which cannot be held in the way that ",
                      "this model writes calls"));
    }
  }

  std::string value(const JsonView& schema, std::size_t depth) {
    if (depth > kMostNestedSchemas) {
      schema.fail(str("nests more than ", kMostNestedSchemas, " levels"));
    }
    if (const auto texts = schema.find("enum")) {
      check_keys(schema, {"enum", "type"});
      return one_of(texts->items(),
                    [&](const JsonView& each) { return constant(each); });
    }
    if (const auto single = schema.find("const")) {
      check_keys(schema, {"const", "type"});
      return constant(*single);
    }
    if (const auto any = schema.find("anyOf")) {
      check_keys(schema, {"anyOf"});
      return one_of(any->items(), [&](const JsonView& each) {
        return value(each, depth + 1);
      });
    }
    const JsonView type = schema.at("type");
    if (type.is_text()) return of_type(schema, type, depth);
    return one_of(type.items(), [&](const JsonView& each) {
      return of_type(schema, each, depth);
    });
  }

  template <class Each>
  std::string one_of(const std::vector<JsonView>& all, const Each& each) {
    std::string body;
    for (const JsonView& one : all) {
      body += (body.empty() ? "" : " | ") + each(one);
    }
    return rule(body.empty() ? "\"\"" : body);
  }

  static std::string constant(const JsonView& given) {
    const bool is_scalar = !given.is_array() && !given.is_object();
    if (!is_scalar) given.fail("is no text, number, true, false or null");
    const bool has_escape =
        given.is_text() &&
        given.text().find(tools::kEscape) != std::string::npos;
    if (has_escape) given.fail(str("holds ", tools::kEscape));
    return literal(tools::escaped_of_json(given.value()));
  }

  std::string of_type(const JsonView& schema, const JsonView& type,
                      std::size_t depth) {
    const std::string& name = type.text();
    if (name == "object") return object(schema, depth);
    if (name == "array") return array(schema, depth);
    check_keys(schema, {"type"});
    if (name == "string") return "text";
    for (const char* each : {"integer", "number", "boolean", "null"}) {
      if (name == each) return name;
    }
    type.fail("is the unknown type '" + name.substr(0, 64) + "'");
  }

  std::string array(const JsonView& schema, std::size_t depth) {
    check_keys(schema, {"type", "items"});
    const std::string item = value(schema.at("items"), depth + 1);
    return rule(R"("[" ()" + item + " (\",\" " + item + R"()*)? "]")");
  }

  std::string object(const JsonView& schema, std::size_t depth) {
    check_keys(schema,
               {"type", "properties", "required", "additionalProperties"});
    const auto more = schema.find("additionalProperties");
    const bool is_closed = !more || (!more->is_object() && !more->boolean());
    if (!is_closed) more->fail("is no false: members need names here");
    std::set<std::string> needed;
    if (const auto required = schema.find("required")) {
      for (const JsonView& each : required->items()) needed.insert(each.text());
    }
    const auto properties = schema.find("properties");
    auto members = properties ? properties->members()
                              : std::vector<std::pair<std::string, JsonView>>();
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return rule(R"("{" )" + chain(members, needed, depth) + R"( "}")");
  }

  /// The members from the last to the first: each either follows one, with a
  /// comma, or is the first.
  std::string chain(
      const std::vector<std::pair<std::string, JsonView>>& members,
      const std::set<std::string>& needed, std::size_t depth) {
    std::string first = "\"\"";
    std::string next = "\"\"";
    for (auto at = members.rbegin(); at != members.rend(); ++at) {
      const auto& [key, schema] = *at;
      if (key.empty() || key.find_first_of("{}[],:<") != std::string::npos) {
        schema.fail("has a name that cannot stand in a call");
      }
      const std::string inner = value(schema, depth + 1);
      const bool is_needed = needed.contains(key);
      const auto member = [&](const char* before, const std::string& without) {
        return rule(literal(before + key + ":") + " " + inner + " " + next +
                    (is_needed ? "" : " | " + without));
      };
      const std::string as_first = member("", first);
      next = member(",", next);
      first = as_first;
    }
    return first;
  }

  std::string rules_;
  int count_ = 0;
};

}  // namespace

std::string escaped_grammar(const JsonView& schema) {
  return EscapedWriter().whole(schema);
}

}  // namespace penstock::grammar
