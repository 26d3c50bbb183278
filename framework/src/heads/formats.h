// The readers of each format, and what they have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heads/wire.h"
#include "penstock/model_head.h"

namespace penstock::heads {

/// Each fills everything but path and the file's own bytes; only read_torch()
/// the format too.
void read_onnx(const Source& source, ModelHead& head);
void read_openvino(const Source& source, ModelHead& head);
void read_tflite(const Source& source, ModelHead& head);
void read_torch(const Source& source, ModelHead& head);

/// Most elements that a tensor of a shape may have: 2^40 would be terabytes,
/// which runtimes try to allocate.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

/// The product, or nothing below 0 and above `kMostElements`: -1.
[[nodiscard]] std::int64_t elements_of(const std::vector<std::int64_t>& dims);

/// A file of weights beside the model: adds it to the head. Throws Error(kData)
/// where it lies elsewhere, is not there or is shorter than `end`.
void add_weight_file(ModelHead& head, const std::string& location,
                     std::uint64_t end);

}  // namespace penstock::heads
