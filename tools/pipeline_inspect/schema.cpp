#include "pipeline_inspect/schema.h"

#include <array>
#include <string>

namespace penstock::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kKinds{"preprocess", "batch", "forward", "decode",
                            "postprocess"};
constexpr const char* kRule = "rule";  ///< before the decode stage
constexpr const char* kName = "^[A-Za-z0-9_.-]+$";

Json reference(const std::string& name) {
  return {{"$ref", "#/definitions/" + name}};
}

/// What one value of the param may be.
Json scalar(const Json& param) {
  const std::string type = param["type"];
  Json schema;
  if (type == "true or false") {
    schema["type"] = "boolean";
  } else if (type == "integer" || type == "list of integers") {
    schema["type"] = "integer";
  } else if (type == "number" || type == "list of numbers") {
    schema["type"] = "number";
  } else if (param.contains("choices")) {
    schema["enum"] = param["choices"];
    for (const auto& alias : param.value("aliases", Json::array())) {
      schema["enum"].push_back(alias);
    }
    return schema;
  } else {
    // YAML's plain 5 and true are texts where a text is asked for.
    schema["type"] = {"string", "number", "boolean"};
  }
  if (param.contains("min")) schema["minimum"] = param["min"];
  if (param.contains("max")) schema["maximum"] = param["max"];
  return schema;
}

Json param_schema(const Json& param) {
  const Json one = scalar(param);
  Json any = Json::array({one, reference("variable")});
  const std::string type = param["type"];
  if (type.starts_with("list of")) {
    any.push_back({{"type", "array"},
                   {"items", {{"anyOf", {one, reference("variable")}}}}});
  }
  return {{"description", param["doc"]},
          {"default", param["default"]},
          {"anyOf", std::move(any)}};
}

/// The keys of a stage's map, its own params among them.
Json stage_keys(const Json& stage) {
  Json keys{
      {"use", true},
      {"model", reference("text")},
      {"device", reference(stage["kind"] == "forward" ? "devices" : "device")}};
  for (const Json& param : stage["params"]) {
    keys[param["name"].get<std::string>()] = param_schema(param);
    const std::string former = param.value("former", "");
    if (former.empty()) continue;
    keys[former] = param_schema(param);
    keys[former]["deprecationMessage"] =
        "it is called '" + param["name"].get<std::string>() + "' now";
  }
  return keys;
}

/// `use` says which of the stages it is, and so which params there are.
Json kind_schema(const Json& stages, const std::string& kind) {
  Json uses = Json::array();
  Json rules = Json::array();
  for (const Json& stage : stages) {
    if (stage["kind"] != kind) continue;
    Json names = Json::array({stage["name"]});
    if (stage.contains("former")) names.push_back(stage["former"]);
    for (const Json& name : names) {
      uses.push_back({{"const", name}, {"description", stage["doc"]}});
    }
    rules.push_back({{"if",
                      {{"properties", {{"use", {{"enum", names}}}}},
                       {"required", Json::array({"use"})}}},
                     {"then",
                      {{"properties", stage_keys(stage)},
                       {"additionalProperties", false}}}});
  }
  Json schema{{"type", "object"}, {"required", Json::array({"use"})}};
  schema["properties"]["use"]["anyOf"] = std::move(uses);
  schema["allOf"] = std::move(rules);
  return schema;
}

Json input_schema() {
  Json schema{{"type", "object"},
              {"description", "a request: its inputs by name"}};
  schema["properties"]["id"] = {{"type", {"string", "number"}}};
  schema["properties"]["options"] = {{"type", "object"}};
  schema["additionalProperties"] = reference("text");
  return schema;
}

Json step_schema() {
  const Json each{{"type", "object"},
                  {"required", Json::array({"each"})},
                  {"properties", {{"each", reference("text")}}},
                  {"additionalProperties", false}};
  const Json edge{{"anyOf", {reference("text"), each}}};
  Json schema{{"type", "object"},
              {"required", {"pipeline"}},
              {"additionalProperties", false}};
  schema["properties"]["pipeline"] = reference("text");
  schema["properties"]["in"] = {{"type", "object"},
                                {"additionalProperties", edge}};
  schema["properties"]["set"] = {{"type", "object"}};
  return schema;
}

Json definitions(const Json& stages) {
  Json all;
  all["variable"] = {{"type", "string"}, {"pattern", R"(\$\{)"}};
  all["text"] = {{"type", {"string", "number", "boolean"}}};
  all["device"] = {{"anyOf",
                    {{{"enum", {"auto", "cpu", "cuda"}}},
                     {{"type", "string"}, {"pattern", "^cuda:[0-9]+$"}},
                     reference("variable")}}};
  all["devices"] = {
      {"anyOf",
       {reference("device"),
        {{"type", "array"}, {"minItems", 1}, {"items", reference("device")}}}}};
  all["input"] = input_schema();
  all["step"] = step_schema();
  for (const char* kind : kKinds) all[kind] = kind_schema(stages, kind);
  all[kRule] = kind_schema(stages, kRule);
  return all;
}

/// Keys that both a pipeline and a composition have.
Json common_keys() {
  Json keys;
  keys["version"] = {{"const", 1}};
  keys["name"] = {{"anyOf",
                   {{{"type", "string"}, {"pattern", kName}},
                    {{"type", "number"}},
                    reference("variable")}}};
  keys["device"] = reference("device");
  keys["threads"] = {
      {"description", "0: every core"},
      {"anyOf",
       {{{"type", "integer"}, {"minimum", 0}}, reference("variable")}}};
  keys["inputs"] = {{"type", "array"}, {"items", reference("input")}};
  return keys;
}

Json pipeline_schema() {
  Json keys = common_keys();
  keys["model"] = reference("text");
  keys["copies"] = {
      {"description", "deny: no stage may be on another device"},
      {"anyOf", {{{"enum", {"allow", "deny"}}}, reference("variable")}}};
  keys["preprocess"] = {{"anyOf",
                         {reference("preprocess"),
                          {{"type", "array"},
                           {"minItems", 1},
                           {"maxItems", 16},
                           {"items", reference("preprocess")}}}}};
  const Json rule_or_decode{{"anyOf", {reference(kRule), reference("decode")}}};
  keys["decode"] = {{"anyOf",
                     {reference("decode"),
                      {{"type", "array"},
                       {"minItems", 1},
                       {"maxItems", 9},
                       {"items", rule_or_decode}}}}};
  for (const char* kind : kKinds) {
    if (!keys.contains(kind)) keys[kind] = reference(kind);
  }
  Json required = Json::array({"version"});
  for (const char* kind : kKinds) required.push_back(kind);
  return {{"properties", keys},
          {"required", required},
          {"additionalProperties", false}};
}

Json composition_schema() {
  Json keys = common_keys();
  keys["steps"] = {{"type", "object"},
                   {"minProperties", 1},
                   {"additionalProperties", reference("step")}};
  return {{"properties", keys},
          {"required", {"version", "steps"}},
          {"additionalProperties", false}};
}

}  // namespace

Json schema_of(const Json& stages) {
  Json schema;
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "Penstock pipeline file";
  schema["type"] = "object";
  schema["if"] = {{"required", Json::array({"steps"})}};
  schema["then"] = composition_schema();
  schema["else"] = pipeline_schema();
  schema["definitions"] = definitions(stages);
  return schema;
}

}  // namespace penstock::inspect
