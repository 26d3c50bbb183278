// What a call was given, as JSON and tensors beside it, and back.
//
// Texts that are no UTF-8 are {"hex": "..."}; notes and facts are tagged by
// type, {"i": 3} for an integer, because JSON knows one kind of number. A list
// of tensors is the list of their names in tensors.safetensors.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/stage_call.h"

namespace penstock::run {

/// A call as it is written.
struct KeptParts {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  Tensors tensors = {};
  /// Bytes of media that were given from memory, for files bytes.0, bytes.1,
  /// ...
  std::vector<std::shared_ptr<const std::string>> bytes = {};
  std::vector<std::string> missing = {};  ///< a line for what cannot be kept
};
[[nodiscard]] KeptParts kept_parts(const StageCall& call);

/// The call of the parts. Every number is checked before it is used: throws
/// Error(kData) that says which is wrong. `folder`: where bytes.N lie.
[[nodiscard]] KeptCall kept_call(const nlohmann::ordered_json& json,
                                 const Tensors& tensors,
                                 const std::filesystem::path& folder);

}  // namespace penstock::run
