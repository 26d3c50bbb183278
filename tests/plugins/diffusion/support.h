// What diffusers did, of tests/golden/make_diffusion.py.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/error.h"
#include "tests/plugins/exported/support.h"

namespace penstock::testing {

inline const nlohmann::json& diffusers_said() {
  static const nlohmann::json all = [] {
    std::ifstream file(str(PENSTOCK_GOLDEN, "/diffusion/steps.json"));
    return nlohmann::json::parse(file);
  }();
  return all;
}

}  // namespace penstock::testing
