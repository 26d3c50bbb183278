// /v1/completions: texts, or token ids, that are continued as they are.
#include <algorithm>
#include <utility>

#include "pipeline_serve/api/openai/completion_logprobs.h"
#include "pipeline_serve/api/openai/prompts.h"
#include "pipeline_serve/api/openai/text_request.h"

namespace penstock::serve {
namespace {

constexpr std::int64_t kMostLogprobs = 5;

const Members& members() {
  static const Members all{
      .own = {"model", "prompt", "stream", "stream_options", "echo", "logprobs",
              "best_of"},
      .options = {"max_tokens", "min_tokens", "temperature", "top_p", "top_k",
                  "min_p", "seed", "n", "stop", "stop_token_ids", "ignore_eos",
                  "frequency_penalty", "presence_penalty", "repetition_penalty",
                  "logit_bias"}};
  return all;
}

/// More answers than are given back, to choose from, are not made.
void check_best_of(const Body& body, std::size_t n) {
  const auto best = body.integer("best_of", 1, 128);
  if (!best || *best == static_cast<std::int64_t>(n)) return;
  throw HttpError(bad_request(
      str("best_of is ", *best, ", but here no answers are made that are not ",
          "given back; leave it out"),
      "best_of"));
}

/// Where no token is wanted one is made all the same, and dropped.
bool wants_no_answer(const Body& body) {
  const auto most = body.find("max_tokens");
  return most && most->is_integer() && most->integer() == 0;
}

Options completion_options(const Body& body, const TextModel& model) {
  auto names = members().options;
  if (wants_no_answer(body)) std::erase(names, "max_tokens");
  Options options = options_of(body, model, names);
  if (wants_no_answer(body)) {
    set_option(options, model, "max_new_tokens", 1, "max_tokens");
  }
  if (const auto best = body.integer("logprobs", 0, kMostLogprobs)) {
    set_option(options, model, "logprobs", *best, "logprobs");
    if (body.flag("echo")) {
      set_option(options, model, "prompt_logprobs", *best, "echo");
    }
  }
  // A prompt is no message, whatever the pipeline reads else.
  for (const std::string& name : model.chat_options()) {
    options[name] = RawScalar{.text = "false"};
  }
  return options;
}

Generation completion_of(const Body& body, const TextModel& model) {
  auto prompts = reading(
      [&] { return prompts_of(body.at("prompt"), model.vocabulary()); });
  Options options = completion_options(body, model);
  const bool has_echo = body.flag("echo");
  // The text of ids that nobody spelled comes with their log-probabilities.
  const bool has_ids = std::any_of(
      prompts.begin(), prompts.end(),
      [](const PromptInputs& each) { return each.contains("token_ids"); });
  if (has_echo && has_ids && !options.contains("prompt_logprobs")) {
    set_option(options, model, "prompt_logprobs", 0, "echo");
  }
  Generation out = generation_of(body, model, std::move(prompts), options);
  check_best_of(body, out.n);
  out.has_answer = !wants_no_answer(body);
  out.has_echo = has_echo;
  out.has_logprobs = body.find("logprobs").has_value();
  out.blamed = {.prompt = "prompt"};
  return out;
}

OutJson head_of(const TextModel& model) {
  return {{"id", new_id("cmpl-")},
          {"object", "text_completion"},
          {"created", now_s()},
          {"model", model.name()}};
}

OutJson choice_json(std::size_t index, const std::string& text,
                    OutJson logprobs, const OutJson& reason) {
  return {{"index", index},
          {"text", text},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", reason}};
}

ChoiceShape choice_shape(bool has_logprobs) {
  return [has_logprobs](std::size_t index, const Choice& each) {
    CompletionLogprobs columns;
    return choice_json(index, each.text,
                       has_logprobs ? columns.json(each.tokens) : OutJson(),
                       each.reason);
  };
}

ChunkedAnswer::Shape chunk_shape(OutJson head, bool has_logprobs) {
  ChunkedAnswer::Shape shape;
  shape.head = std::move(head);
  // Offsets go on from chunk to chunk.
  const auto columns =
      std::make_shared<std::map<std::size_t, CompletionLogprobs>>();
  shape.more = [=](std::size_t choice, const std::string& text,
                   const TokenList& tokens, bool /*is_first*/) {
    return choice_json(
        choice, text,
        has_logprobs ? (*columns)[choice].json(tokens) : OutJson(), {});
  };
  shape.over = [](std::size_t choice, const std::string& reason,
                  bool /*is_first*/) {
    return choice_json(choice, "", {}, reason);
  };
  return shape;
}

void complete(const Models& models, const Call& call) {
  const Body body(call.request.body);
  const TextModel model = model_of(body, models, /*must_chat=*/false);
  check_members(body, members());
  const Streaming streaming = streaming_of(body);
  Generation generation = completion_of(body, model);
  auto listener =
      listener_of(call, streaming, generation.requests.size() * generation.n,
                  choice_shape(generation.has_logprobs),
                  chunk_shape(head_of(model), generation.has_logprobs));
  generate(model, std::move(generation), std::move(listener), call);
}

}  // namespace

void add_completions(const Api& api) {
  const Models& models = api.models;
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/completions",
       .handler = [&models](const Call& call) { complete(models, call); }});
}

}  // namespace penstock::serve
