// For a Decode that has all of an item's answer with its first step.
#pragma once

#include <exception>
#include <utility>
#include <vector>

#include "penstock/decode.h"

namespace penstock::core {

/// Ends each sequence of the step with what `made(row, item)` gives. An error
/// that it throws is that sequence's alone.
template <class Made>
void each_item(const Step& step, std::vector<Next>& out, const Made& made) {
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    next.finish = Finish::kEnd;
    try {
      next.emit.push_back(
          made(static_cast<std::int64_t>(i), *step.slices[i].sequence->item));
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::core
