// Masks as COCO writes them: run lengths down the columns, as a short text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penstock::pictures {

/// Lengths of the runs of 0 and 1 in turn, beginning with 0, down each column
/// of `values` [height, width], whose pixels count that are `kind`.
[[nodiscard]] std::vector<std::int64_t> run_lengths(
    std::span<const std::uint8_t> values, std::int64_t height,
    std::int64_t width, std::uint8_t kind);

/// The `counts` of COCO's compressed form: what pycocotools decodes.
[[nodiscard]] std::string coco_counts(std::span<const std::int64_t> runs);

}  // namespace penstock::pictures
