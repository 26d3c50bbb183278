// /v1/responses: text in, text out; nothing is kept for the next one.
#include <utility>

#include "penstock/json.h"
#include "pipeline_serve/api/openai/conversation.h"
#include "pipeline_serve/api/openai/form.h"
#include "pipeline_serve/api/openai/response_object.h"
#include "pipeline_serve/api/openai/text_request.h"
#include "pipeline_serve/api/openai/tool_request.h"

namespace penstock::serve {
namespace {

constexpr std::int64_t kMostLogprobs = 20;
constexpr const char* kLogprobs = "message.output_text.logprobs";

const Members& members() {
  static const Members all{
      .own = {"model", "input", "instructions", "stream", "stream_options",
              "include", "top_logprobs", "tools", "tool_choice",
              "parallel_tool_calls", "text", "truncation", "reasoning",
              "background", "previous_response_id", "conversation", "prompt",
              "max_tool_calls"},
      .options = {"max_output_tokens", "temperature", "top_p"}};
  return all;
}

/// What another response left behind, and what would run without its client.
void check_stateless(const Body& body) {
  for (const char* name :
       {"previous_response_id", "conversation", "prompt", "max_tool_calls"}) {
    if (body.find(name)) {
      throw HttpError(bad_request(
          str(name, " is not there: nothing is stored here"), name));
    }
  }
  if (body.flag("background")) {
    throw HttpError(bad_request("background: true is not there", "background"));
  }
  if (body.text("truncation", "disabled") != "disabled") {
    throw HttpError(bad_request(
        "truncation: only disabled is there; no input is cut", "truncation"));
  }
}

/// {"format": {...}, "verbosity": "medium"} and less; the format is form.h's.
void check_text(const Body& body) {
  const auto text = body.find("text");
  if (!text) return;
  for (const auto& [name, value] : text->members()) {
    if (value.value().data.index() == 0 || name == "format") continue;
    if (name != "verbosity") {
      value.fail("is not known here");
    } else if (value.text() != "medium") {
      value.fail("is another than medium");
    }
  }
}

/// No model thinks before it answers.
void check_reasoning(const Body& body) {
  const auto reasoning = body.find("reasoning");
  if (!reasoning) return;
  for (const auto& [name, value] : reasoning->members()) {
    const bool is_null = value.value().data.index() == 0;
    if (is_null || (name == "effort" && value.text() == "none")) continue;
    value.fail("asks for reasoning, which this model does not do");
  }
}

bool includes_logprobs(const Body& body) {
  const auto include = body.find("include");
  if (!include) return false;
  bool is_in = false;
  for (const JsonView& each : include->items()) {
    if (each.text() != kLogprobs) {
      each.fail(str("is another than ", kLogprobs));
    }
    is_in = true;
  }
  return is_in;
}

void check(const Body& body) {
  check_members(body, members());
  check_stateless(body);
  reading([&] {
    check_text(body);
    check_reasoning(body);
  });
  if (streaming_of(body).has_usage) {
    throw HttpError(
        bad_request("stream_options: include_usage is not known here; a "
                    "response ends with its usage",
                    "stream_options"));
  }
}

Generation response_of(const Body& body, const TextModel& model,
                       Options& options) {
  const JsonView input = body.at("input");
  Json messages = reading(
      [&] { return messages_of_response(input, body.text("instructions")); });
  std::map<std::string, Value> inputs{{"messages", std::move(messages)}};
  options = options_of(body, model, members().options);
  const bool has_tools =
      add_tools(body, ToolShape::kOfResponse, model, inputs, options);
  const bool has_logprobs = reading([&] { return includes_logprobs(body); });
  const auto best = body.integer("top_logprobs", 0, kMostLogprobs);
  if (best.value_or(0) > 0 && !has_logprobs) {
    throw HttpError(bad_request(
        str("top_logprobs is only for include: [\"", kLogprobs, "\"]"),
        "top_logprobs"));
  }
  if (has_logprobs) {
    set_option(options, model, "logprobs", best.value_or(0), "include");
  }
  const std::string schema_param = add_form_of_response(body, model, options);
  if (has_tools) check_beside_tools(options, "text.format", "include");
  lift_limit(options, model);
  // There is one answer, whatever the pipeline's file says.
  if (model.option("n") != nullptr) set_option(options, model, "n", 1, "n");
  Generation out = generation_of(body, model, {std::move(inputs)}, options);
  out.has_logprobs = has_logprobs;
  out.blamed = {.prompt = "input",
                .schema = schema_param,
                .tools = ToolShape::kOfResponse};
  return out;
}

OutJson value_or_null(const Body& body, const std::string& name) {
  const auto found = body.find(name);
  if (!found) return nullptr;
  if (found->is_text()) return found->text();
  if (found->is_integer()) return found->integer();
  OutJson out = OutJson::object();
  for (const auto& [key, value] : found->members()) out[key] = value.text();
  return out;
}

/// As it was asked for.
OutJson format_json(const Body& body) {
  const auto text = body.find("text");
  const auto format = text ? text->find("format") : std::nullopt;
  if (!format) return {{"type", "text"}};
  return OutJson::parse(penstock::json_text(format->value()));
}

/// As it was asked for, or what is meant where nothing is said.
OutJson choice_json(const Body& body) {
  const auto choice = body.find("tool_choice");
  return choice ? OutJson::parse(penstock::json_text(choice->value())) : "auto";
}

OutJson tools_json(const Body& body) {
  const auto tools = body.find("tools");
  return tools ? OutJson::parse(repeated_tools(*tools)) : OutJson::array();
}

ResponseFacts facts_of(const Body& body, const TextModel& model,
                       const Options& options) {
  ResponseFacts facts{.id = new_id("resp_"),
                      .message_id = new_id("msg_"),
                      .created = now_s(),
                      .model = model.name(),
                      .asked = {}};
  facts.asked = {
      {"instructions", value_or_null(body, "instructions")},
      {"max_output_tokens", value_or_null(body, "max_output_tokens")},
      {"max_tool_calls", nullptr},
      {"parallel_tool_calls", may_call_several(body)},
      {"previous_response_id", nullptr},
      {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
      {"service_tier", "default"},
      {"store", false},
      {"temperature", number_of(options, model, "temperature", 1)},
      {"text", {{"format", format_json(body)}}},
      {"tool_choice", choice_json(body)},
      {"tools", tools_json(body)},
      {"top_logprobs", body.integer("top_logprobs", 0, 20).value_or(0)},
      {"top_p", number_of(options, model, "top_p", 1)},
      {"truncation", "disabled"},
      {"user", value_or_null(body, "user")},
      {"metadata", body.find("metadata") ? value_or_null(body, "metadata")
                                         : OutJson::object()}};
  return facts;
}

void respond(const Models& models, const Call& call) {
  const Body body(call.request.body);
  const TextModel model = model_of(body, models, /*must_chat=*/true);
  check(body);
  Options options;
  Generation generation = response_of(body, model, options);
  ResponseFacts facts = facts_of(body, model, options);
  std::shared_ptr<Listener> listener;
  if (body.flag("stream")) {
    listener = std::make_shared<ResponseEvents>(call.reply, call.request.path,
                                                std::move(facts));
  } else {
    listener = std::make_shared<WholeAnswer>(
        call.reply, call.request.path, 1,
        [facts = std::move(facts)](const std::vector<Choice>& choices,
                                   const Usage& usage) {
          return whole_response(facts, choices.at(0), usage);
        });
  }
  generate(model, std::move(generation), std::move(listener), call);
}

}  // namespace

void add_responses(const Api& api) {
  const Models& models = api.models;
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/responses",
       .handler = [&models](const Call& call) { respond(models, call); }});
}

}  // namespace penstock::serve
