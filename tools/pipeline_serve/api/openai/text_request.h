// What completions, chats and responses do alike between the body of a request
// and its answers.
#pragma once

#include <string>
#include <vector>

#include "pipeline_serve/api/openai/answers.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/options.h"
#include "pipeline_serve/api/openai/streaming.h"
#include "pipeline_serve/api/routes.h"

namespace penstock::serve {

/// The model that the body names. Throws HttpError.
[[nodiscard]] TextModel model_of(const Body& body, const Models& models,
                                 bool must_chat);

/// A request for each of `inputs` with the options that `names` of the body
/// set, and what there is besides: n answers, a seed of its own where none is
/// given, and equal answers asked for once.
[[nodiscard]] Generation generation_of(
    const Body& body, const TextModel& model,
    std::vector<std::map<std::string, Value>> inputs, const Options& options);

/// Where the pipeline's file has no limit, a conversation's answer goes on
/// until its turn ends or the context is full.
void lift_limit(Options& options, const TextModel& model);

}  // namespace penstock::serve
