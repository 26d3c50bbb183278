// OpenAI's sampling options as options of a pipeline: its own bounds first,
// then those of the pipeline's param.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/text_model.h"

namespace penstock::serve {

/// For the pipeline, by its own names.
using Options = std::map<std::string, Raw>;

/// What those of `names` that stand in the body ask for. Throws HttpError.
[[nodiscard]] Options options_of(const Body& body, const TextModel& model,
                                 const std::vector<std::string>& names);

/// Sets a number. Throws HttpError, which names `theirs`, where the pipeline
/// has no such option or takes no such value.
void set_option(Options& options, const TextModel& model,
                const std::string& ours, std::int64_t value,
                const std::string& theirs);

/// The number that will be in force: of the options, or of the pipeline.
[[nodiscard]] double number_of(const Options& options, const TextModel& model,
                               const std::string& ours, double fallback);

/// A new seed that nobody can guess, in the pipeline's bounds.
void set_random_seed(Options& options, const TextModel& model);

/// An error of the pipeline about its options as one about theirs.
[[nodiscard]] HttpError option_error(const Error& error);

}  // namespace penstock::serve
