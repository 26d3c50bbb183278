#include "gemma/tool_prompt.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/tools/call_text.h"
#include "lib/tools/tool_list.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

using Members = JsonValue::Object;

JsonValue said(const char* role, std::string text) {
  return {
      Members{{"role", {std::string(role)}}, {"content", {std::move(text)}}}};
}

/// The calls of a message; nothing where there are none.
std::vector<tools::SaidCall> calls_of(const JsonView& message) {
  std::vector<tools::SaidCall> out;
  const auto calls = message.find("tool_calls");
  if (!calls) return out;
  for (const JsonView& each : calls->items()) {
    out.push_back(tools::said_call(each));
  }
  return out;
}

/// A text, or parts of text, end to end.
std::string text_of_message(const JsonView& message) {
  const auto content = message.find("content");
  if (!content) return "";
  if (content->is_text()) return content->text();
  std::string out;
  for (const JsonView& part : content->items()) {
    if (part.at("type").text() != "text") {
      part.fail("is no text, which is all that can stand beside tools");
    }
    out += part.at("text").text();
  }
  return out;
}

JsonValue* member(Members& members, std::string_view key) {
  for (auto& each : members) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

void put_member(Members& members, const std::string& key, JsonValue value) {
  if (JsonValue* old = member(members, key)) {
    *old = std::move(value);
  } else {
    members.push_back({key, std::move(value)});
  }
}

JsonValue json_call(const tools::SaidCall& call) {
  Members function{{"name", {call.name}}, {"arguments", call.arguments}};
  Members out{{"type", {std::string("function")}},
              {"function", {std::move(function)}}};
  if (!call.id.empty()) out.push_back({"id", {call.id}});
  return {std::move(out)};
}

/// What is said to a model whose template says nothing of tools.
std::string preface(const std::vector<tools::Tool>& all,
                    const tools::CallSyntax& syntax) {
  std::string out = "You can call these functions:\n";
  for (const tools::Tool& tool : all) {
    Members about{{"name", {tool.name}}};
    if (!tool.description.empty()) {
      about.push_back({"description", {tool.description}});
    }
    about.push_back({"parameters", tool.parameters});
    out += json_text({std::move(about)}, JsonSpaces::kSpaced) + "\n";
  }
  out += "\nTo call one, write this and nothing behind it:\n" + syntax.open +
         "NAME" + syntax.middle + "{...}" + syntax.close +
         "\nIts result is then told to you. Where no function helps, answer in "
         "words.";
  return out;
}

/// Turns of text, in which those of one role that follow each other are one.
class TextTurns {
 public:
  void add(const char* role, const std::string& text, const char* between) {
    if (role_ == role) {
      text_ += between + text;
      return;
    }
    end();
    role_ = role;
    text_ = text;
  }
  JsonValue::Array take() {
    end();
    return std::move(all_);
  }

 private:
  void end() {
    if (!role_.empty()) all_.push_back(said(role_.c_str(), text_));
  }

  JsonValue::Array all_;
  std::string role_, text_;
};

void add_assistant(const JsonView& message, const tools::CallSyntax& syntax,
                   TextTurns& turns) {
  std::string text = text_of_message(message);
  for (const tools::SaidCall& call : calls_of(message)) {
    text +=
        (text.empty() ? "" : syntax.between) + tools::call_text(call, syntax);
  }
  turns.add("assistant", text, "\n");
}

}  // namespace

JsonValue messages_with_calls(const JsonValue& messages) {
  JsonValue out = messages;
  std::map<std::string, std::string> names;  // by a call's id
  const auto views = JsonView(messages, "messages").items();
  auto& list = std::get<JsonValue::Array>(out.data);
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i].is_object()) continue;  // the template's check tells
    auto& members = std::get<Members>(list[i].data);
    const auto calls = calls_of(views[i]);
    if (!calls.empty()) {
      JsonValue::Array all;
      for (const auto& call : calls) {
        names[call.id] = call.name;
        all.push_back(json_call(call));
      }
      put_member(members, "tool_calls", {std::move(all)});
    }
    const auto id = views[i].find("tool_call_id");
    if (!id || views[i].find("name")) continue;
    const auto name = names.find(id->text());
    if (name != names.end()) put_member(members, "name", {name->second});
  }
  return out;
}

JsonValue messages_of_text(const JsonValue& messages, const JsonValue* tools,
                           const tools::CallSyntax& syntax,
                           const std::string& own_system) {
  TextTurns turns;
  std::string system;
  bool has_system = false;
  if (tools != nullptr) {
    const auto all = tools::tools_of(JsonView(*tools, "tools"));
    if (!all.empty()) system = preface(all, syntax);
  }
  for (const JsonView& each : JsonView(messages, "messages").items()) {
    if (!each.is_object()) each.fail("is no object");
    const std::string& role = each.at("role").text();
    if (role == "system" || role == "developer") {
      has_system = true;
      system += (system.empty() ? "" : "\n\n") + text_of_message(each);
    } else if (role == "tool") {
      turns.add(
          "user",
          syntax.answer_open + text_of_message(each) + syntax.answer_close,
          "\n");
    } else if (role == "assistant" || role == "model") {
      add_assistant(each, syntax, turns);
    } else {
      turns.add(role.c_str(), text_of_message(each), "\n\n");
    }
  }
  JsonValue::Array out;
  if (!has_system && !own_system.empty()) {
    system += (system.empty() ? "" : "\n\n") + own_system;
  }
  if (!system.empty()) out.push_back(said("system", system));
  for (JsonValue& turn : turns.take()) out.push_back(std::move(turn));
  return {std::move(out)};
}

JsonValue messages_for(const ChatTemplate& chat_template,
                       const JsonValue& messages, const JsonValue* tools,
                       const tools::CallSyntax& syntax,
                       const std::string& own_system) {
  const JsonView view(messages, "messages");
  if (!view.is_array()) return messages;  // the template's check tells
  if (chat_template.knows_tools()) return messages_with_calls(messages);
  const auto* list =
      tools == nullptr ? nullptr : std::get_if<JsonValue::Array>(&tools->data);
  bool has_tools = tools != nullptr && (list == nullptr || !list->empty());
  for (const JsonView& each : view.items()) {
    if (!each.is_object()) return messages;
    const auto role = each.find("role");
    has_tools = has_tools || each.find("tool_calls") ||
                (role && role->is_text() && role->text() == "tool");
  }
  return has_tools ? messages_of_text(messages, tools, syntax, own_system)
                   : messages;
}

tools::CallSyntax call_syntax(const std::string& name,
                              const std::string& template_source,
                              const Tokenizer& tokenizer) {
  tools::CallSyntax syntax = tools::syntax_named(
      name == "auto" ? tools::syntax_of_template(template_source) : name);
  // A call that was made ends FunctionGemma's turn.
  for (const char* end : {"<end_of_turn>", "<start_function_response>"}) {
    const Tokens ids = tokenizer.encode(end);
    if (ids.size() == 1) syntax.ends.push_back(ids[0]);
  }
  return syntax;
}

}  // namespace penstock::gemma
