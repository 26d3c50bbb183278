#include "pipeline_run/input/jsonl.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "penstock/params.h"
#include "penstock/text.h"

namespace penstock::run {
namespace {

using Json = nlohmann::json;

constexpr int kMostDepth = 32;
const std::vector<std::string> kKeys{"id",       "text",       "continuation",
                                     "messages", "tools",      "inputs",
                                     "options",  "deadline_ms"};

[[noreturn]] void complain(const std::string& key, const char* expected,
                           const Json& got) {
  throw Error(Code::kData,
              str("'", key, "' is ", got.type_name(), ", expected ", expected));
}

RawScalar scalar(const std::string& key, const Json& value) {
  if (value.is_string()) return {.text = value, .quoted = true};
  if (value.is_number() || value.is_boolean()) {
    return {.text = value.dump(), .quoted = false};
  }
  complain(key, "a number, a text, true or false, or a list of them", value);
}

/// An object of scalars is a list of "name:value", as `logit_bias` takes it.
Raw raw(const std::string& key, const Json& value) {
  std::vector<RawScalar> list;
  if (value.is_object()) {
    for (const auto& [name, item] : value.items()) {
      list.push_back(
          {.text = str(name, ":", scalar(key, item).text), .quoted = true});
    }
    return list;
  }
  if (!value.is_array()) return scalar(key, value);
  for (const Json& item : value) list.push_back(scalar(key, item));
  return list;
}

/// At most `most` bytes of `text`, cut between characters.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  text.resize(most);
  text.resize(complete_utf8(text));
  return text + "...";
}

/// "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
/// without what is of no use to a person; it quotes what it read, at any
/// length.
std::string short_reason(std::string what) {
  for (const std::string_view useless : {"] ", "parse error at line 1, "}) {
    const auto at = what.find(useless);
    if (at != std::string::npos && at < 64) what.erase(0, at + useless.size());
  }
  return shortened(std::move(what), 160);
}

Json parse(const std::string& line) {
  // Deeply nested input would overflow the stack when it is copied.
  const auto limit = [](int depth, Json::parse_event_t /*event*/,
                        Json& /*parsed*/) {
    if (depth > kMostDepth) {
      throw Error(Code::kData, str("nested deeper than ", kMostDepth));
    }
    return true;
  };
  try {
    return Json::parse(line, limit);
  } catch (const Json::exception& error) {
    throw Error(Code::kData, "not JSON: " + short_reason(error.what()));
  }
}

std::string id_of(const std::string& key, const Json& value) {
  if (value.is_string()) return value;
  if (value.is_number_integer()) return value.dump();
  complain(key, "a text or an integer", value);
}

void set(Request& request, const std::string& key, const Json& value) {
  if (key == "id") return;  // was first
  if (key == "text" || key == "continuation") {
    if (!value.is_string()) complain(key, "a text", value);
    request.inputs[key] = value.get<std::string>();
  } else if (key == "messages" || key == "tools") {
    if (!value.is_array()) complain(key, "a list", value);
    request.inputs[key] = penstock::Json{value.dump()};
  } else if (key == "inputs") {
    if (!value.is_object()) complain(key, "an object", value);
    for (const auto& [name, text] : value.items()) {
      if (!text.is_string()) complain("inputs." + name, "a text", text);
      request.inputs[name] = text.get<std::string>();
    }
  } else if (key == "options") {
    if (!value.is_object()) complain(key, "an object", value);
    for (const auto& [name, option] : value.items()) {
      request.options[name] = raw("options." + name, option);
    }
  } else if (key == "deadline_ms") {
    if (!value.is_number() || value.get<double>() <= 0) {
      complain(key, "a number above 0", value);
    }
    request.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double, std::milli>(
                               std::min(value.get<double>(), 1e12)));
  } else {
    throw Error(Code::kData, str("unknown key '", shortened(key, 64), "'",
                                 suggestion(key, kKeys)));
  }
}

}  // namespace

void parse_jsonl(const std::string& line, Request& request,
                 std::optional<OpenAiCall>& call) {
  Json json = parse(line);
  if (!json.is_object()) {
    throw Error(Code::kData, str("expected an object such as {\"text\": "
                                 "\"...\"}, got ",
                                 json.type_name()));
  }
  if (is_openai(json)) {
    request.id = id_of("custom_id", json["custom_id"]);
    json = from_openai(json, call.emplace());
  } else if (const auto id = json.find("id"); id != json.end()) {
    request.id = id_of("id", *id);
  }
  for (const auto& [key, value] : json.items()) set(request, key, value);
}

}  // namespace penstock::run
