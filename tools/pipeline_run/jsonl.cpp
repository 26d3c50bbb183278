#include "jsonl.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

namespace penstock::run {
namespace {

using Json = nlohmann::json;

constexpr int kMostDepth = 32;
const std::vector<std::string> kKeys{"id", "text", "inputs", "options",
                                     "deadline_ms"};

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

Raw raw(const std::string& key, const Json& value) {
  if (!value.is_array()) return scalar(key, value);
  std::vector<RawScalar> list;
  for (const Json& item : value) list.push_back(scalar(key, item));
  return list;
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
    std::string what = error.what();  // "[json.exception.parse_error.101] ..."
    if (const auto at = what.find("] "); at != std::string::npos) {
      what.erase(0, at + 2);
    }
    throw Error(Code::kData, "not JSON: " + what);
  }
}

std::string id_of(const Json& value) {
  if (value.is_string()) return value;
  if (value.is_number_integer()) return value.dump();
  complain("id", "a text or an integer", value);
}

void set(Request& request, const std::string& key, const Json& value) {
  if (key == "id") {
    request.id = id_of(value);
  } else if (key == "text") {
    if (!value.is_string()) complain(key, "a text", value);
    request.inputs["text"] = value.get<std::string>();
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
    throw Error(Code::kData,
                str("unknown key '", key, "'", suggestion(key, kKeys)));
  }
}

}  // namespace

Request parse_jsonl(const std::string& line, std::size_t number) {
  Request request;
  request.id = std::to_string(number - 1);
  const Json json = parse(line);
  if (!json.is_object()) {
    throw Error(Code::kData, str("expected an object such as {\"text\": "
                                 "\"...\"}, got ",
                                 json.type_name()));
  }
  for (const auto& [key, value] : json.items()) set(request, key, value);
  return request;
}

Inputs open_jsonl(const std::string& path, std::size_t limit) {
  std::shared_ptr<std::istream> in;
  if (path == "-") {
    in = std::shared_ptr<std::istream>(&std::cin, [](auto*) {});
  } else {
    in = std::make_shared<std::ifstream>(path);
    if (!*in) {
      throw Error(Code::kNotFound, str("cannot read '", path, "'"));
    }
  }
  auto number = std::make_shared<std::size_t>(0);
  return [in, number, path, limit]() -> std::optional<Input> {
    for (;;) {
      Input input;
      ++*number;
      input.request.id = std::to_string(*number - 1);
      try {
        const auto line = read_line(*in, limit);
        if (!line) return std::nullopt;
        if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
        input.request = parse_jsonl(*line, *number);
      } catch (Error& error) {
        input.error =
            error.in(str(path == "-" ? "stdin" : path, ", line ", *number));
      }
      return input;
    }
  };
}

}  // namespace penstock::run
