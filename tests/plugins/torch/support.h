// Models of tests/golden/make_torch.py, run by libtorch.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/plugins/exported/support.h"
#include "torch/forward.h"

namespace penstock::testing {

inline nlohmann::json answers() { return answers_in("torch"); }

/// `params` is what stands behind `use: torch.forward`: ", rows: one".
inline Made run_model(const std::string& path, const std::string& params,
                      std::vector<GivenItem> items) {
  return run_model_by("torch.forward" + params, path, std::move(items));
}

/// What running it throws, or "".
inline std::string failure(const std::string& path, const std::string& params,
                           std::vector<GivenItem> items) {
  return failure_by("torch.forward" + params, path, std::move(items));
}

}  // namespace penstock::testing
