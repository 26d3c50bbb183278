// Datatypes of the Open Inference Protocol and what they are here.
#pragma once

#include <c10/core/ScalarType.h>

#include <optional>
#include <string>
#include <string_view>

namespace penstock::serve {

struct Datatype {
  std::string_view name;   ///< "FP32"
  std::string_view dtype;  ///< of a port: "f32"
  /// Undefined: BYTES, whose elements have lengths of their own.
  at::ScalarType type = at::ScalarType::Undefined;
  std::size_t bytes = 0;  ///< of an element; 0: BYTES
};

/// By the protocol's name; null: there is none such.
[[nodiscard]] const Datatype* find_datatype(std::string_view name);
/// Of a port's dtype: text and media are BYTES, tokens INT64.
[[nodiscard]] const Datatype& datatype_of(std::string_view dtype);

}  // namespace penstock::serve
