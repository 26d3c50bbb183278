// CallSyntax: how a model writes the call of a tool:
//
//   open NAME middle ARGUMENTS close
//
// The stage that writes its prompts shares it with the others of the pipeline
// (StageContext::share), so that all of them mean the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "penstock/notes.h"

namespace penstock::tools {

enum class Notation {
  kJson,     ///< {"key": "text", "other": 5}
  kEscaped,  ///< {key:<escape>text<escape>,other:5}
};

struct CallSyntax {
  std::string name;
  std::string open;  ///< where it stands a call begins
  std::string middle;
  std::string close;
  std::string between = "\n";  ///< calls of one answer
  Notation notation = Notation::kJson;
  /// Around what a tool answered, for templates that know no tools.
  std::string answer_open, answer_close;
  /// Ids that end an answer, beside those that the model names.
  Tokens ends = {};
};

/// "fenced", "json", "tagged", "functiongemma".
[[nodiscard]] const std::vector<std::string>& syntax_names();
/// The one of that name. Throws Error(kUsage) for another.
[[nodiscard]] CallSyntax syntax_named(std::string_view name);
/// The name of the one that a chat template, or a model without one for tools,
/// is about.
[[nodiscard]] std::string syntax_of_template(std::string_view source);

}  // namespace penstock::tools
