// A result as one line of JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/pipeline.h"

namespace penstock::run {

/// What a branch of a request gave, piece by piece.
struct Written {
  std::string text;
  bool has_text = false;  ///< some piece was text, if an empty one
  /// JSON pieces: objects that are joined key by key, lists end to end.
  std::vector<std::string> json;
};

struct RunFacts {
  std::string dtype, device;
  std::string device_why = {};  ///< of `auto`; may be empty
};

/// {id, text, token_ids, prompt_tokens, finish_reason, ...}, of branch 0; with
/// several branches also `choices`, as OpenAI has them. No `text` where no
/// stage wrote one. Ends with a newline.
[[nodiscard]] std::string json_line(const Request& request,
                                    const Report& report,
                                    const std::map<int, Written>& branches,
                                    const RunFacts& facts, bool has_text);

/// The result of a composition's step as {"steps": {step: [{...}]}}, to be
/// joined into the line of the whole.
[[nodiscard]] std::string step_json(const std::string& step,
                                    const Request& request,
                                    const Report& report,
                                    const std::map<int, Written>& branches);

}  // namespace penstock::run
