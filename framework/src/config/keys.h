// Addresses of params: decode.temperature, preprocess.0.size, preprocess.size,
// decode.0.choices.
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

/// How many stages stand under the two keys that may have lists.
struct Counts {
  std::size_t preprocess = 0;
  std::size_t rules = 0;  ///< before decode
};

/// Nothing where `key` does not begin with the name of a stage. `decode.param`
/// is the decode stage's, whatever rules stand before it. Throws Error(kData)
/// for a stage of a list that is not there or not said.
[[nodiscard]] std::optional<Address> find_stage(const std::string& key,
                                                const Counts& counts);
/// How find_stage() reads the stage at a place.
[[nodiscard]] std::string key_of(std::size_t stage, const Counts& counts);

/// "preprocess", "batch", ...
[[nodiscard]] const std::vector<std::string>& stage_keys();

}  // namespace penstock::config
