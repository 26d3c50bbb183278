// Models of tests/golden/make_models.py, run by OpenVINO.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "openvino/forward.h"
#include "tests/plugins/exported/support.h"

namespace penstock::testing {

inline nlohmann::json answers() { return answers_in("models"); }

/// `params` is what stands behind `use: openvino.forward`: ", rows: one".
inline Made run_model(const std::string& path, const std::string& params,
                      std::vector<GivenItem> items) {
  return run_model_by("openvino.forward" + params, path, std::move(items));
}

/// What running it throws, or "".
inline std::string failure(const std::string& path, const std::string& params,
                           std::vector<GivenItem> items) {
  return failure_by("openvino.forward" + params, path, std::move(items));
}

}  // namespace penstock::testing
