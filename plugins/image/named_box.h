// What a detector found, with the name of its class: as a line, and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "image/crop.h"
#include "lib/labels/label_file.h"
#include "penstock/decode.h"

namespace penstock::image {

struct NamedBox {
  std::int64_t id = 0;
  std::string name;  ///< "": it has none
  double score = 0;
  Extent at;
  std::optional<Corners> corners = {};  ///< of what is turned
  std::int64_t track = 0;  ///< number of the thing in a film; 0: none
};

/// Those of `boxes`, `classes`, `scores` and, where there are such, `corners`.
[[nodiscard]] std::vector<NamedBox> named_boxes(
    const Decoded& decoded, const labels::ClassNames& names);

/// 0.921  face  at 203,58 to 302,177; of a thing that is tracked: face #2
[[nodiscard]] std::string line_of(const NamedBox& box);

/// [{"id", "label", "score", "box"}], of what is tracked with "track", of what
/// has no name without "label".
[[nodiscard]] nlohmann::ordered_json json_of(
    const std::vector<NamedBox>& boxes);

/// With so many digits behind the point.
[[nodiscard]] std::string fixed(double value, int digits);

}  // namespace penstock::image
