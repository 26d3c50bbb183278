#include "pipeline_serve/api/openai/conversation.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline_run/input/json_text.h"

namespace penstock::serve {
namespace {

struct Message {
  std::string role;
  std::string text;
};
using Messages = std::vector<Message>;

/// A developer's words are what a system's were before.
std::string role_of(const JsonView& message) {
  const JsonView role = message.at("role");
  const std::string& word = role.text();
  if (word == "developer") return "system";
  if (word == "system" || word == "user" || word == "assistant") return word;
  role.fail(str("is '", word.substr(0, 40),
                "', expected one of system, developer, user, assistant"));
}

/// A text, or parts of one of `types`, end to end.
std::string content_of(const JsonView& message,
                       const std::vector<std::string_view>& types) {
  const JsonView content = message.at("content");
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
    all.push_back(
        {JsonValue::Object{{"role", {each.role}}, {"content", {each.text}}}});
  }
  return {run::json_text({std::move(all)})};
}

Message message_of_item(const JsonView& item) {
  if (!item.is_object()) item.fail("is no object");
  const auto type = item.find("type");
  if (type && type->text() != "message") {
    type->fail(str("is '", type->text().substr(0, 40),
                   "': only messages are read here"));
  }
  check_members(item, {"type", "role", "content", "id", "status", "phase"});
  return {.role = role_of(item),
          .text = content_of(item, {"input_text", "output_text", "text"})};
}

}  // namespace

Json messages_of_chat(const JsonView& messages) {
  const auto items = messages.items();
  if (items.empty()) messages.fail("is empty; it needs a message");
  Messages all;
  for (const JsonView& each : items) {
    if (!each.is_object()) {
      each.fail(R"(is no object such as {"role": "user", "content": "..."})");
    }
    check_members(each, {"role", "content", "name"});
    if (const auto name = each.find("name")) (void)name->text();
    all.push_back({.role = role_of(each), .text = content_of(each, {"text"})});
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
  for (const JsonView& each : items) all.push_back(message_of_item(each));
  return json_of(all);
}

}  // namespace penstock::serve
