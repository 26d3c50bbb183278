// Filters, and how they are listed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gemma/jinja/builtins.h"

namespace penstock::gemma::jinja {

struct Filter {
  Signature signature;
  std::function<Value(const Value&, const Arguments&)> call;
};

/// Those that take a list or map.
void add_list_filters(std::map<std::string, Filter>& to);
/// Cut where Python's splitlines() cuts.
[[nodiscard]] std::vector<Text> split_lines(const Text& text, bool keeps_ends);

}  // namespace penstock::gemma::jinja
