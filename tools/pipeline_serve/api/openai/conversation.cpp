#include "pipeline_serve/api/openai/conversation.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/json.h"

namespace penstock::serve {
namespace {

struct Message {
  std::string role;
  std::string text;
  JsonValue::Object more = {};  ///< tool_calls, tool_call_id
};
using Messages = std::vector<Message>;

/// A developer's words are what a system's were before.
std::string role_of(const JsonView& message) {
  const JsonView role = message.at("role");
  const std::string& word = role.text();
  if (word == "developer") return "system";
  for (const char* known : {"system", "user", "assistant", "tool"}) {
    if (word == known) return word;
  }
  role.fail(str("is '", word.substr(0, 40),
                "', expected one of system, developer, user, assistant, tool"));
}

/// A text, or parts of one of `types`, end to end.
std::string content_of(const JsonView& message, std::string_view member,
                       const std::vector<std::string_view>& types) {
  const JsonView content = message.at(member);
  if (content.is_text()) return content.text();
  if (!content.is_array()) content.fail("is neither a text nor a list");
  const auto parts = content.items();
  if (parts.empty()) content.fail("is empty");
  std::string text;
  for (const JsonView& part : parts) {
    const JsonView type = part.at("type");
    if (std::find(types.begin(), types.end(), type.text()) == types.end()) {
      type.fail(str("is '", type.text().substr(0, 40),
                    "': this model reads only text"));
    }
    text += part.at("text").text();
  }
  return text;
}

/// Members that say nothing are null or empty; others are not passed over.
void check_members(const JsonView& message,
                   const std::vector<std::string_view>& known) {
  constexpr std::array<std::string_view, 6> kEmpty{
      "refusal",       "audio",      "annotations",
      "function_call", "tool_calls", "reasoning_content"};
  for (const auto& [name, value] : message.members()) {
    const bool is_null = value.value().data.index() == 0;
    const bool is_nothing =
        is_null || (value.is_array() && value.items().empty());
    const bool may_be_nothing =
        std::find(kEmpty.begin(), kEmpty.end(), name) != kEmpty.end();
    if (may_be_nothing && is_nothing) continue;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      value.fail("is not known here");
    }
  }
}

/// What is said first by a system, in several messages, is one: templates know
/// no more.
Messages with_one_system(const Messages& all) {
  Messages out;
  for (const Message& each : all) {
    const bool goes_on =
        out.size() == 1 && out[0].role == "system" && each.role == "system";
    if (goes_on) {
      out[0].text += "\n\n" + each.text;
    } else {
      out.push_back(each);
    }
  }
  return out;
}

Json json_of(const Messages& messages) {
  JsonValue::Array all;
  for (const Message& each : with_one_system(messages)) {
    JsonValue::Object message{{"role", {each.role}}, {"content", {each.text}}};
    message.insert(message.end(), each.more.begin(), each.more.end());
    all.push_back({std::move(message)});
  }
  return {penstock::json_text({std::move(all)})};
}

/// A JSON object in a text.
void check_arguments(const JsonView& arguments) {
  try {
    const JsonValue parsed = parse_json(
        arguments.text().empty() ? "{}" : arguments.text(), "arguments");
    if (JsonView(parsed, "").is_object()) return;
  } catch (const Error&) {
    arguments.fail("is no JSON");
  }
  arguments.fail("is JSON, but no object");
}

/// A call that an assistant made before. Gives its id.
std::string check_call(const JsonView& call) {
  for (const auto& [name, value] : call.members()) {
    if (name != "id" && name != "type" && name != "function" &&
        name != "index") {
      value.fail("is not known here");
    }
  }
  const auto type = call.find("type");
  if (type && type->text() != "function") type->fail("is not function");
  const JsonView function = call.at("function");
  (void)function.at("name").text();
  check_arguments(function.at("arguments"));
  return call.at("id").text();
}

/// What a tool gave: to which of the calls that were made so far.
void add_answered(const JsonView& id, const std::set<std::string>& calls,
                  Message& to) {
  if (!calls.contains(id.text())) {
    id.fail(str("is '", id.text().substr(0, 64),
                "', which is no call of the messages before"));
  }
  to.more.push_back({"tool_call_id", id.value()});
}

/// `calls`: ids of those that were made so far.
Message message_of(const JsonView& message, std::set<std::string>& calls) {
  Message out{.role = role_of(message), .text = ""};
  std::vector<std::string_view> known{"role", "content", "name"};
  if (out.role == "assistant") known.emplace_back("tool_calls");
  if (out.role == "tool") known.emplace_back("tool_call_id");
  check_members(message, known);
  if (const auto name = message.find("name")) (void)name->text();
  const auto made = message.find("tool_calls");
  if (made && !made->items().empty()) {
    for (const JsonView& call : made->items()) calls.insert(check_call(call));
    out.more.push_back({"tool_calls", made->value()});
    if (!message.find("content")) return out;
  }
  out.text = content_of(message, "content", {"text"});
  if (out.role == "tool") add_answered(message.at("tool_call_id"), calls, out);
  return out;
}

/// A call that an assistant made: a message of its own, or more of the one
/// before, as chats have it.
void add_call(const JsonView& item, std::set<std::string>& calls,
              Messages& all) {
  check_members(item, {"type", "id", "call_id", "name", "arguments", "status"});
  const JsonView id = item.at("call_id");
  const JsonView name = item.at("name");
  check_arguments(item.at("arguments"));
  calls.insert(id.text());
  JsonValue call{JsonValue::Object{
      {"id", {id.text()}},
      {"type", {std::string("function")}},
      {"function",
       {JsonValue::Object{{"name", {name.text()}},
                          {"arguments", item.at("arguments").value()}}}}}};
  if (all.empty() || all.back().role != "assistant") {
    all.push_back({.role = "assistant", .text = ""});
  }
  auto& more = all.back().more;
  if (more.empty()) more.push_back({"tool_calls", {JsonValue::Array{}}});
  std::get<JsonValue::Array>(more.back().value.data).push_back(std::move(call));
}

Message message_of_output(const JsonView& item,
                          const std::set<std::string>& calls) {
  check_members(item, {"type", "id", "call_id", "output", "status"});
  Message out{.role = "tool",
              .text = content_of(item, "output", {"input_text", "text"})};
  add_answered(item.at("call_id"), calls, out);
  return out;
}

Message message_of_item(const JsonView& item) {
  check_members(item, {"type", "role", "content", "id", "status", "phase"});
  if (item.at("role").text() == "tool") {
    item.at("role").fail(
        "is 'tool': what a tool gave is a function_call_output");
  }
  return {.role = role_of(item),
          .text = content_of(item, "content",
                             {"input_text", "output_text", "text"})};
}

void add_item(const JsonView& item, std::set<std::string>& calls,
              Messages& all) {
  if (!item.is_object()) item.fail("is no object");
  const auto type = item.find("type");
  const std::string kind = type ? type->text() : "message";
  if (kind == "function_call") {
    add_call(item, calls, all);
  } else if (kind == "function_call_output") {
    all.push_back(message_of_output(item, calls));
  } else if (kind == "message") {
    all.push_back(message_of_item(item));
  } else {
    type->fail(str("is '", kind.substr(0, 40),
                   "', expected one of message, function_call, "
                   "function_call_output"));
  }
}

}  // namespace

Json messages_of_chat(const JsonView& messages) {
  const auto items = messages.items();
  if (items.empty()) messages.fail("is empty; it needs a message");
  Messages all;
  std::set<std::string> calls;
  for (const JsonView& each : items) {
    if (!each.is_object()) {
      each.fail(R"(is no object such as {"role": "user", "content": "..."})");
    }
    all.push_back(message_of(each, calls));
  }
  return json_of(all);
}

Json messages_of_response(const JsonView& input,
                          const std::string& instructions) {
  Messages all;
  if (!instructions.empty()) {
    all.push_back({.role = "system", .text = instructions});
  }
  if (input.is_text()) {
    all.push_back({.role = "user", .text = input.text()});
    return json_of(all);
  }
  if (!input.is_array()) input.fail("is neither a text nor a list");
  const auto items = input.items();
  if (items.empty()) input.fail("is empty; it needs a message");
  std::set<std::string> calls;
  for (const JsonView& each : items) add_item(each, calls, all);
  return json_of(all);
}

}  // namespace penstock::serve
