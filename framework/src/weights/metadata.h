// A metadata value as a file stores it, before anybody asks for it as a
// number or a text. Numbers and texts stay where they are in the file, so a
// vocabulary of 262,144 words costs nothing until it is read.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/byte_reader.h"

namespace penstock::weights {

/// Numbered as GGUF does.
enum class ValueType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kText = 8,
  kArray = 9,  // as an element type: an array of arrays, kept unread
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

struct MetadataValue {
  ValueType type = ValueType::kText;
  bool is_array = false;
  std::uint64_t count = 1;
  /// `count` numbers, little-endian; one text; or `count` texts, each after
  /// its length in 8 bytes. Checked when the file was parsed.
  std::span<const std::byte> bytes = {};
};

struct MetadataEntry {
  std::string_view key;
  MetadataValue value;
};

/// Bytes of one number or bool; 0 for texts and arrays.
[[nodiscard]] std::size_t value_size(ValueType type);

/// What an error calls the value: "u32", "array of text".
[[nodiscard]] std::string describe(const MetadataValue& value);

/// Calls `visit` with each number of `value`, all of which are stored as T.
template <class T, class Visit>
bool visit_stored(const MetadataValue& value, Visit& visit) {
  for (std::uint64_t i = 0; i < value.count; ++i) {
    visit(load<T>(value.bytes.data() + i * sizeof(T)));
  }
  return true;
}

/// Calls `visit` with each number of `value`, as the C++ type it is stored as.
/// Returns false when they are no numbers.
template <class Visit>
bool visit_numbers(const MetadataValue& value, Visit visit) {
  switch (value.type) {
    case ValueType::kU8:
      return visit_stored<std::uint8_t>(value, visit);
    case ValueType::kI8:
      return visit_stored<std::int8_t>(value, visit);
    case ValueType::kU16:
      return visit_stored<std::uint16_t>(value, visit);
    case ValueType::kI16:
      return visit_stored<std::int16_t>(value, visit);
    case ValueType::kU32:
      return visit_stored<std::uint32_t>(value, visit);
    case ValueType::kI32:
      return visit_stored<std::int32_t>(value, visit);
    case ValueType::kU64:
      return visit_stored<std::uint64_t>(value, visit);
    case ValueType::kI64:
      return visit_stored<std::int64_t>(value, visit);
    case ValueType::kF32:
      return visit_stored<float>(value, visit);
    case ValueType::kF64:
      return visit_stored<double>(value, visit);
    case ValueType::kBool:
    case ValueType::kText:
    case ValueType::kArray:
      return false;
  }
  return false;
}

}  // namespace penstock::weights
