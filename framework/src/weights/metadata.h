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

#include "byte_reader.h"

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

/// Calls `visit` with each number of `value`, as the C++ type it is stored as.
/// Returns false when they are no numbers.
template <class Visit>
bool visit_numbers(const MetadataValue& value, Visit visit) {
  const auto each = [&]<class T>(T /*tag*/) {
    for (std::uint64_t i = 0; i < value.count; ++i) {
      visit(load<T>(value.bytes.data() + i * sizeof(T)));
    }
    return true;
  };
  switch (value.type) {
    case ValueType::kU8:
      return each(std::uint8_t{});
    case ValueType::kI8:
      return each(std::int8_t{});
    case ValueType::kU16:
      return each(std::uint16_t{});
    case ValueType::kI16:
      return each(std::int16_t{});
    case ValueType::kU32:
      return each(std::uint32_t{});
    case ValueType::kI32:
      return each(std::int32_t{});
    case ValueType::kU64:
      return each(std::uint64_t{});
    case ValueType::kI64:
      return each(std::int64_t{});
    case ValueType::kF32:
      return each(float{});
    case ValueType::kF64:
      return each(double{});
    case ValueType::kBool:
    case ValueType::kText:
    case ValueType::kArray:
      return false;
  }
  return false;
}

}  // namespace penstock::weights
