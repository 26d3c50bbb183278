#include "pipeline_serve/api/inference/datatypes.h"

#include <array>

namespace penstock::serve {
namespace {

using at::ScalarType;

constexpr std::array kDatatypes{
    Datatype{"BYTES", "text"},
    Datatype{"BOOL", "bool", ScalarType::Bool, 1},
    Datatype{"UINT8", "u8", ScalarType::Byte, 1},
    Datatype{"INT8", "i8", ScalarType::Char, 1},
    Datatype{"INT16", "i16", ScalarType::Short, 2},
    Datatype{"INT32", "i32", ScalarType::Int, 4},
    Datatype{"INT64", "i64", ScalarType::Long, 8},
    Datatype{"FP16", "f16", ScalarType::Half, 2},
    Datatype{"BF16", "bf16", ScalarType::BFloat16, 2},
    Datatype{"FP32", "f32", ScalarType::Float, 4},
    Datatype{"FP64", "f64", ScalarType::Double, 8}};

}  // namespace

const Datatype* find_datatype(std::string_view name) {
  for (const Datatype& each : kDatatypes) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

const Datatype& datatype_of(std::string_view dtype) {
  if (dtype == "tokens") dtype = "i64";
  for (const Datatype& each : kDatatypes) {
    if (each.dtype == dtype) return each;
  }
  return kDatatypes[0];
}

}  // namespace penstock::serve
