#include <algorithm>

#include "pipeline_run/input/json_raw.h"
#include "pipeline_run/input/openai_names.h"
#include "pipeline_serve/api/inference/inference_request.h"

namespace penstock::serve {
void InferenceOptions::add(const std::string& name, const JsonView& value) {
  if (value.value().data.index() == 0) return;
  const std::string ours = run::our_name(name);
  const auto [known, is_new] = theirs_.emplace(ours, name);
  if (!is_new) {
    value.fail(str("is the same as '", known->second, "'; write one of them"));
  }
  all_[ours] = run::json_raw(value);
}

void InferenceOptions::check(const CompositionFile& file) const {
  try {
    const auto of_steps = options_of_steps(file, all_);
    for (std::size_t i = 0; i < of_steps.size(); ++i) {
      (void)check_options(file.steps[i].file, of_steps[i]);
    }
  } catch (const Error& error) {
    std::string text = error.text();
    for (const auto& [ours, theirs] : theirs_) {
      const bool is_it = ours != theirs && text.find(ours) != text.npos;
      if (is_it) text += str(" ('", theirs, "' sets ", ours, ")");
    }
    throw Error(error.code(), "parameters: " + text);
  }
}

}  // namespace penstock::serve
