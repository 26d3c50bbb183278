// OpenAI's names: which option of ours each of theirs is, and which fields say
// nothing with the value that their API takes for granted.
#pragma once

#include <string>
#include <vector>

#include "penstock/json.h"

namespace penstock::run {

/// Their name of an option and ours.
struct OpenAiOption {
  std::string theirs;
  std::string ours;
};
[[nodiscard]] const std::vector<OpenAiOption>& openai_options();
/// Ours for one of theirs; any other name as it is.
[[nodiscard]] std::string our_name(const std::string& theirs);

/// A field that says nothing with the API's own default, and else asks for
/// what there is not here.
struct OpenAiDefault {
  std::string name;
  std::vector<std::string> values;  ///< as JSON; null always is one
};
[[nodiscard]] const std::vector<OpenAiDefault>& openai_defaults();
/// Throws Error(kData) where `value` is none of them.
void check_default(const OpenAiDefault& field, const JsonView& value);

}  // namespace penstock::run
