// A weight or constant of an ONNX file: its data is as long as its shape says,
// and lies in the file or beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heads/formats.h"

namespace penstock::heads {

struct OnnxTensor {
  std::string name;
  std::uint64_t type = 0;
  std::vector<std::int64_t> dims;
  /// The numbers of a short i64 tensor, such as a shape; else none.
  std::vector<std::int64_t> values;
};

/// Adds the file of its data to `head` where it lies beside. Throws
/// Error(kData).
[[nodiscard]] OnnxTensor read_onnx_tensor(const Source& source, Fields fields,
                                          ModelHead& head);

/// A dtype of port.h, or ONNX's own word, of TensorProto.DataType.
[[nodiscard]] std::string onnx_dtype(std::uint64_t type);

}  // namespace penstock::heads
