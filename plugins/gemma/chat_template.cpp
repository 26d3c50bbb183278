#include "gemma/chat_template.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

#include "penstock/error.h"
#include "penstock/weights.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;

/// What Gemma 3's own template writes for text.
constexpr const char* kGemma = R"({{ bos_token }}
{%- set system = '' -%}
{%- set turns = messages -%}
{%- if messages[0].role == 'system' -%}
  {%- if messages[0].content is string -%}
    {%- set system = messages[0].content + '\n\n' -%}
  {%- else -%}
    {%- set system = messages[0].content[0].text + '\n\n' -%}
  {%- endif -%}
  {%- set turns = messages[1:] -%}
{%- endif -%}
{%- if not turns -%}
  {{ raise_exception('there is no message of the user') }}
{%- endif -%}
{%- for message in turns -%}
  {%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
    {{ raise_exception('after the system the roles must alternate: user, assistant, user, ...') }}
  {%- endif -%}
  {{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' }}
  {%- if loop.first -%}{{ system }}{%- endif -%}
  {%- if message.content is string -%}
    {{ message.content | trim }}
  {%- else -%}
    {%- for part in message.content -%}
      {%- if part.type != 'text' -%}
        {{ raise_exception('this pipeline reads only parts of type text, not ' ~ part.type) }}
      {%- endif -%}
      {{ part.text | trim }}
    {%- endfor -%}
  {%- endif -%}
  {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%})";

constexpr std::size_t kMostMessages = 10'000;
constexpr std::array<const char*, 6> kRoles{"system",    "developer", "user",
                                            "assistant", "model",     "tool"};

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) {
    throw Error(Code::kNotFound,
                str("cannot read the chat template '", path.string(), "'"));
  }
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

/// Of a tokenizer_config.json: a text, or a list of them with names.
std::optional<std::string> of_config(const fs::path& path) {
  const JsonValue json = read_json(path);
  const auto found = JsonView(json, path.string()).find("chat_template");
  if (!found) return std::nullopt;
  if (found->is_text()) return found->text();
  for (const JsonView& each : found->items()) {
    if (each.at("name").text() == "default") return each.at("template").text();
  }
  return std::nullopt;
}

std::optional<std::string> of_model(const fs::path& model) {
  const fs::path folder = fs::is_directory(model) ? model : model.parent_path();
  if (fs::is_directory(model) || model.extension() == ".safetensors") {
    if (fs::exists(folder / "chat_template.jinja")) {
      return read_text(folder / "chat_template.jinja");
    }
    const fs::path config = folder / "tokenizer_config.json";
    if (fs::exists(config)) return of_config(config);
  }
  if (model.extension() != ".gguf") return std::nullopt;
  const auto found =
      WeightFile::open(model).find_text("tokenizer.chat_template");
  if (!found) return std::nullopt;
  return std::string(*found);
}

std::string source_of(const fs::path& model, const std::string& named) {
  if (named == "gemma") return kGemma;
  if (named != "auto") return read_text(named);
  return of_model(model).value_or(kGemma);
}

std::string joined_roles() {
  std::string out;
  for (const char* role : kRoles)
    out += (out.empty() ? "" : ", ") + std::string(role);
  return out;
}

void check(const JsonView& message) {
  if (!message.is_object()) {
    message.fail(R"(is no object such as {"role": "user", "content": ...})");
  }
  const JsonView role = message.at("role");
  const std::string& word = role.text();
  if (std::find(kRoles.begin(), kRoles.end(), word) == kRoles.end()) {
    role.fail(
        str("is '", word.substr(0, 40), "', expected one of ", joined_roles()));
  }
  const auto content = message.find("content");
  if (!content) {
    if (!message.find("tool_calls")) message.fail("has no content");
    return;
  }
  if (content->is_text()) return;
  if (!content->is_array()) content->fail("is neither a text nor a list");
  for (const JsonView& part : content->items()) {
    if (part.at("type").text() == "text") (void)part.at("text").text();
  }
}

void check_all(const JsonView& messages) {
  if (!messages.is_array()) messages.fail("is no list of messages");
  const auto items = messages.items();
  if (items.empty()) messages.fail("is empty; it needs a message");
  if (items.size() > kMostMessages) {
    messages.fail(
        str("has ", items.size(), " messages; the most is ", kMostMessages));
  }
  for (const JsonView& message : items) check(message);
}

JsonValue message(const char* role, const std::string& text) {
  return {
      JsonValue::Object{{"role", {std::string(role)}}, {"content", {text}}}};
}

}  // namespace

JsonValue user_message(const std::string& text) {
  return {JsonValue::Array{message("user", text)}};
}

ChatTemplate::ChatTemplate(const fs::path& model, const std::string& named)
    : source_(source_of(model, named)),
      template_(std::make_unique<const jinja::Template>(source_)) {}

bool ChatTemplate::knows_tools() const {
  return source_.find("tools") != std::string::npos;
}

jinja::Text ChatTemplate::write(const Conversation& conversation) const {
  check_all(JsonView(conversation.messages, "messages"));
  JsonValue messages = conversation.messages;
  auto& list = std::get<JsonValue::Array>(messages.data);
  const bool has_system =
      JsonView(list.front(), "messages").at("role").text() == "system";
  if (!conversation.system.empty() && !has_system) {
    list.insert(list.begin(), message("system", conversation.system));
  }
  jinja::Map variables{{"messages", jinja::from_json(messages)},
                       {"bos_token", jinja::text(conversation.bos)},
                       {"eos_token", jinja::text(conversation.eos)},
                       {"add_generation_prompt", conversation.has_prompt}};
  if (conversation.tools != nullptr) {
    variables.emplace_back("tools", jinja::from_json(*conversation.tools));
  }
  return template_->run(std::move(variables), std::time(nullptr));
}

}  // namespace penstock::gemma
