// The elements of a tensor that a request brings, as inputs of pipelines: one
// value for each of its requests.
#pragma once

#include <string>
#include <vector>

#include "penstock/json.h"
#include "penstock/value.h"
#include "pipeline_serve/api/inference/signature.h"

namespace penstock::serve {

/// A tensor's name, shape and place, checked against what the pipeline takes.
struct TensorShape {
  const InputTensor* input = nullptr;
  std::vector<std::int64_t> shape;  ///< [n], [n, 1], or [n] and a tensor's dims
  std::string place;                ///< "inputs[0]", for complaints

  /// How many requests it is for.
  [[nodiscard]] std::size_t rows() const {
    return static_cast<std::size_t>(shape.front());
  }
  [[nodiscard]] std::size_t elements() const;
};

/// Of an element of `inputs`. Throws Error(kData) that names what is wrong.
[[nodiscard]] TensorShape shape_of(const JsonView& tensor,
                                   const Signature& signature,
                                   const std::string& place);

/// `data`: elements one after another, or nested as the shape; media are
/// base64. Throws Error(kData).
[[nodiscard]] std::vector<Value> values_of(const TensorShape& tensor,
                                           const JsonView& data);
/// The same of bytes: of BYTES each behind its length, of numbers
/// little-endian.
[[nodiscard]] std::vector<Value> values_of(const TensorShape& tensor,
                                           std::string_view bytes);

/// A text, or the bytes of a file, as what the pipeline takes. Throws
/// Error(kData) for a text that is no UTF-8.
[[nodiscard]] Value value_of(const InputTensor& input, std::string bytes,
                             const std::string& place);

}  // namespace penstock::serve
