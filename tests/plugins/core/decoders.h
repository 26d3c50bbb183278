// What tests of decoders share: golden files of make_decoders.py.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace penstock::core {

inline nlohmann::json golden_decoder(const std::string& name) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/golden/decoders/" + name);
  return nlohmann::json::parse(file);
}

}  // namespace penstock::core
