// Addresses of params: decode.temperature, preprocess.0.size, preprocess.size.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace penstock::config {

struct Address {
  std::size_t stage = 0;  ///< its place in the order of stages
  std::string rest;       ///< what follows the stage; may be empty
};

/// Nothing where `key` does not begin with the name of a stage. Throws
/// Error(kData) for a preprocess stage that is not there or not said.
[[nodiscard]] std::optional<Address> find_stage(const std::string& key,
                                                std::size_t preprocess_count);

/// "preprocess", "batch", ...
[[nodiscard]] const std::vector<std::string>& stage_keys();

}  // namespace penstock::config
