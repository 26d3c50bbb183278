#include "pipeline_run/input/openai_names.h"

#include <algorithm>

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::run {

const std::vector<OpenAiOption>& openai_options() {
  static const std::vector<OpenAiOption> all{
      {"max_tokens", "max_new_tokens"},
      {"max_completion_tokens", "max_new_tokens"},
      {"min_tokens", "min_new_tokens"},
      {"temperature", "temperature"},
      {"top_p", "top_p"},
      {"top_k", "top_k"},
      {"min_p", "min_p"},
      {"seed", "seed"},
      {"n", "n"},
      {"stop", "stop"},
      {"stop_token_ids", "stop_ids"},
      {"ignore_eos", "ignore_eos"},
      {"frequency_penalty", "frequency_penalty"},
      {"presence_penalty", "presence_penalty"},
      {"repetition_penalty", "repetition_penalty"},
      {"logit_bias", "logit_bias"}};
  return all;
}

std::string our_name(const std::string& theirs) {
  for (const OpenAiOption& option : openai_options()) {
    if (option.theirs == theirs) return option.ours;
  }
  return theirs;
}

const std::vector<OpenAiDefault>& openai_defaults() {
  static const std::vector<OpenAiDefault> all{
      {"stream", {"false"}},
      {"stream_options", {}},
      {"response_format", {R"({"type":"text"})"}},
      {"modalities", {R"(["text"])"}},
      {"audio", {}},
      {"functions", {"[]"}},
      {"function_call", {R"("none")", R"("auto")"}},
      {"parallel_tool_calls", {"true"}},
      {"reasoning_effort", {R"("medium")", R"("none")"}},
      {"verbosity", {R"("medium")"}},
      {"web_search_options", {}},
      {"best_of", {"1"}},
      {"echo", {"false"}},
      {"suffix", {R"("")"}},
      // Other servers' own.
      {"add_generation_prompt", {"true"}},
      {"continue_final_message", {"false"}},
      {"include_stop_str_in_output", {"false"}},
      {"length_penalty", {"1", "1.0"}},
      {"skip_special_tokens", {"true"}},
      {"use_beam_search", {"false"}}};
  return all;
}

void check_default(const OpenAiDefault& field, const JsonView& value) {
  const auto& known = field.values;
  const std::string text = json_text(value.value());
  if (std::find(known.begin(), known.end(), text) != known.end()) return;
  value.fail(str("asks for what there is not here; leave it out",
                 known.empty() ? "" : ", or write ",
                 known.empty() ? "" : known[0]));
}

}  // namespace penstock::run
