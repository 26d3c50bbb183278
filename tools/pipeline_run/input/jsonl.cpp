#include "pipeline_run/input/jsonl.h"

#include <algorithm>
#include <utility>

#include "penstock/json.h"
#include "penstock/params.h"
#include "penstock/text.h"
#include "pipeline_run/input/json_raw.h"
#include "pipeline_run/input/response_format.h"
#include "pipeline_run/input/tool_choice.h"

namespace penstock::run {
namespace {

constexpr const char* kWhere = "the line";
const std::vector<std::string> kKeys{"id",       "text",    "continuation",
                                     "messages", "tools",   "token_ids",
                                     "inputs",   "options", "deadline_ms"};

/// At most `most` bytes of `text`, cut between characters.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  text.resize(most);
  text.resize(complete_utf8(text));
  return text + "...";
}

std::string id_of(const JsonView& value) {
  if (value.is_integer()) return std::to_string(value.integer());
  if (!value.is_text()) value.fail("is neither a text nor an integer");
  return value.text();
}

Time deadline(const JsonView& value) {
  const double milliseconds = value.real();
  if (milliseconds <= 0) value.fail("is not above 0");
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double, std::milli>(
                                std::min(milliseconds, 1e12)));
}

/// A form and a schema may be written as the objects that they are.
void set_option(Request& request, const std::string& name,
                const JsonView& option) {
  if (name == "response_format") {
    for (const auto& [key, raw] : format_options(option)) {
      request.options[key] = raw;
    }
  } else if (name == "json_schema" && option.is_object()) {
    request.options[name] =
        RawScalar{.text = json_text(option.value()), .quoted = true};
  } else if (name == "tool_choice" && option.is_object()) {
    request.options[name] =
        RawScalar{.text = tool_choice_option(option), .quoted = true};
  } else {
    request.options[name] = json_raw(option);
  }
}

void set(Request& request, const std::string& key, const JsonView& value) {
  if (key == "id") return;  // was first
  if (key == "text" || key == "continuation") {
    request.inputs[key] = value.text();
  } else if (key == "messages" || key == "tools" || key == "token_ids") {
    (void)value.items();
    request.inputs[key] = Json{json_text(value.value())};
  } else if (key == "inputs") {
    for (const auto& [name, input] : value.members()) {
      if (input.is_text()) {
        request.inputs[name] = input.text();
      } else {
        request.inputs[name] = Json{json_text(input.value())};
      }
    }
  } else if (key == "options") {
    for (const auto& [name, option] : value.members()) {
      set_option(request, name, option);
    }
  } else if (key == "deadline_ms") {
    request.deadline = deadline(value);
  } else {
    throw Error(Code::kData, str("unknown key '", shortened(key, 64), "'",
                                 suggestion(key, kKeys)));
  }
}

}  // namespace

void read_request(const JsonView& line, Request& request) {
  if (const auto id = line.find("id")) request.id = id_of(*id);
  for (const auto& [key, value] : line.members()) set(request, key, value);
}

const std::vector<std::string>& jsonl_keys() { return kKeys; }

void parse_jsonl(const std::string& line, Request& request,
                 std::optional<OpenAiCall>& call) {
  JsonValue json = parse_json(line, kWhere);
  const JsonView view(json, kWhere);
  if (!view.is_object()) {
    view.fail(R"(is no object such as {"text": "..."})");
  }
  if (const auto id = view.find("custom_id")) {
    request.id = id_of(*id);
    json = from_openai(view, call.emplace());
  }
  read_request(view, request);
}

}  // namespace penstock::run
