#include "pipeline_serve/api/openai/text_request.h"

#include <algorithm>
#include <utility>

namespace penstock::serve {

TextModel model_of(const Body& body, const Models& models, bool must_chat) {
  (void)body.at("model");
  return {models, body.text("model"), must_chat};
}

void lift_limit(Options& options, const TextModel& model) {
  constexpr const char* kLimit = "max_new_tokens";
  if (options.contains(kLimit) || model.is_written(kLimit)) return;
  const ParamSpec* spec = model.option(kLimit);
  const std::int64_t context = model.context_length();
  if (spec == nullptr || context <= 0) return;
  const double most = spec->max.value_or(static_cast<double>(context));
  options[kLimit] = RawScalar{.text = std::to_string(std::min(
                                  context, static_cast<std::int64_t>(most)))};
}

Generation generation_of(const Body& body, const TextModel& model,
                         std::vector<std::map<std::string, Value>> inputs,
                         const Options& options) {
  Generation out;
  Options chosen = options;
  out.n = static_cast<std::size_t>(number_of(chosen, model, "n", 1));
  // Without a temperature every answer is the same.
  out.has_copies = out.n > 1 && number_of(chosen, model, "temperature", 1) == 0;
  if (out.has_copies) chosen["n"] = RawScalar{.text = "1"};
  const bool has_seed = body.find("seed").has_value();
  for (auto& each : inputs) {
    if (!has_seed) set_random_seed(chosen, model);
    Request& request = out.requests.emplace_back();
    request.inputs = std::move(each);
    request.options = chosen;
  }
  return out;
}

}  // namespace penstock::serve
