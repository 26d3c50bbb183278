#include "pipeline_serve/api/openai/prompts.h"

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::serve {
namespace {

constexpr std::size_t kMostPrompts = 1024;

void check_ids(const JsonView& ids, std::int64_t vocabulary) {
  for (const JsonView& each : ids.items()) {
    const std::int64_t id = each.integer();
    if (id < 0 || (vocabulary > 0 && id >= vocabulary)) {
      each.fail(str("is ", id, ", not in the vocabulary of ", vocabulary));
    }
  }
}

/// A text or a list of token ids.
PromptInputs prompt_of(const JsonView& value, std::int64_t vocabulary) {
  if (value.is_text()) return {{"text", value.text()}};
  if (!value.is_array()) value.fail("is neither a text nor token ids");
  if (value.items().empty()) value.fail("is empty");
  check_ids(value, vocabulary);
  return {{"token_ids", Json{penstock::json_text(value.value())}}};
}

}  // namespace

std::vector<PromptInputs> prompts_of(const JsonView& value,
                                     std::int64_t vocabulary) {
  const bool is_list = value.is_array() && !value.items().empty() &&
                       !value.items()[0].is_integer();
  if (!is_list) return {prompt_of(value, vocabulary)};
  const auto items = value.items();
  if (items.size() > kMostPrompts) {
    value.fail(
        str("has ", items.size(), " prompts; the most is ", kMostPrompts));
  }
  std::vector<PromptInputs> all;
  for (const JsonView& each : items) {
    all.push_back(prompt_of(each, vocabulary));
  }
  return all;
}

}  // namespace penstock::serve
