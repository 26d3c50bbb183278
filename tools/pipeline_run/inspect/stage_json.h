// What stages made, as JSON: for --until with --json, and for --dump.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/request.h"
#include "penstock/sequence.h"
#include "penstock/step.h"

namespace penstock::run {

/// A tensor with more numbers is told by dtype and shape alone.
inline constexpr std::int64_t kMostValues = 4096;

/// {"dtype": "f32", "shape": [2, 3], "values": [[...], [...]]}
[[nodiscard]] nlohmann::ordered_json tensor_json(
    const at::Tensor& tensor, std::int64_t most_values = kMostValues);
/// The same of each, by name.
[[nodiscard]] nlohmann::ordered_json tensors_json(
    const Tensors& tensors, std::int64_t most_values = kMostValues);
/// A text with NULs, such as `pieces`, becomes a list.
[[nodiscard]] nlohmann::ordered_json notes_json(const Notes& notes);
/// A file by its name, JSON as it is.
[[nodiscard]] nlohmann::ordered_json value_json(const Value& value);
/// What a request brought: {"inputs": {...}, "options": {...}}.
[[nodiscard]] nlohmann::ordered_json request_json(const Request& request);
/// Those that are there, as scores.ids, scores.values, ...
[[nodiscard]] Tensors named_scores(const Scores& scores);
/// As one line, whatever bytes its texts hold.
[[nodiscard]] std::string line_of(const nlohmann::ordered_json& json);

}  // namespace penstock::run
