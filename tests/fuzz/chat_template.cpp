// Chat templates: parsed and run on a conversation, within limits.
#include <optional>

#include "gemma/jinja/template.h"
#include "penstock/json.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  using namespace gemma::jinja;  // NOLINT(google-build-using-namespace)
  constexpr const char* kVariables =
      R"({"bos_token": "<bos>", "add_generation_prompt": true, "n": 3,
          "tools": null, "messages": [{"role": "user", "content": "Hi <eos>"},
          {"role": "assistant", "content": [{"type": "text", "text": "a"}]}]})";
  static const auto variables = parse_json(kVariables, "variables");
  const Limits limits{.steps = 20'000, .output = 1 << 16, .source = 1 << 16};
  const Template parsed(bytes, limits);
  (void)parsed.run(variables_of(variables), /*now=*/0);
}
