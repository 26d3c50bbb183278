// The prompts of /v1/completions: one or many, as texts or token ids.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "penstock/json.h"
#include "penstock/value.h"

namespace penstock::serve {

/// A request's inputs: `text` or `token_ids`.
using PromptInputs = std::map<std::string, Value>;

/// A text, a list of token ids, or a list of these. Throws Error(kData), from
/// the view that is wrong; ids are below `vocabulary`, 0: not known.
[[nodiscard]] std::vector<PromptInputs> prompts_of(const JsonView& value,
                                                   std::int64_t vocabulary);

}  // namespace penstock::serve
