#include "pipeline_run/input/tool_choice.h"

#include "penstock/error.h"

namespace penstock::run {

std::string tool_choice_option(const JsonView& choice) {
  if (choice.is_text()) {
    const std::string& word = choice.text();
    if (word == "auto" || word == "required") return word;
    choice.fail(str("is '", word.substr(0, 64),
                    "', expected one of auto, none, required, or a function"));
  }
  const JsonView type = choice.at("type");
  if (type.text() != "function") {
    type.fail(str("is '", type.text().substr(0, 64),
                  "': only functions can be chosen"));
  }
  const auto function = choice.find("function");
  return "function:" + (function ? *function : choice).at("name").text();
}

}  // namespace penstock::run
