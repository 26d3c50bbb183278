// The conformance test of any Forward: every way of running gives the scores
// of the loop without a cache. Link penstock_testing.
#pragma once

#include <string>
#include <vector>

#include "penstock/forward.h"

namespace penstock::testing {

struct Conformance {
  std::vector<Tokens> prompts;  ///< of different lengths, each 8 or more
  Layout layout = Layout::kPacked;
  double tolerance = 0;  ///< largest score difference that is no failure
};

struct ConformanceResult {
  std::vector<std::string> failures;  ///< one line each; empty: it conforms
  double worst = 0;                   ///< largest score difference seen
  int comparisons = 0;
};

/// Both are opened on the same model; `cached` has at least as many slots as
/// there are prompts, `uncached` has none. Runs chunked, rolled back, copied,
/// released and replayed, mixed with sequences of other lengths, and with only
/// some tokens allowed; what `cached` says it cannot do is left out.
[[nodiscard]] ConformanceResult check_forward(Forward& cached,
                                              Forward& uncached,
                                              const Conformance& test);

/// What a batch of that layout would collate.
[[nodiscard]] Tensors collate(Layout layout, const std::vector<Slice>& slices);

}  // namespace penstock::testing
