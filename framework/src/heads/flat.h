// Reads a flatbuffer: tables of fields at offsets. Every offset is compared
// with the file's length before it is followed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "heads/wire.h"

namespace penstock::heads {

/// A list of a table: `count` elements from `begin`.
struct FlatVector {
  std::uint64_t begin = 0;
  std::uint32_t count = 0;
};

class Flat {
 public:
  explicit Flat(const Source& source) : source_(source) {}

  template <class T>
  [[nodiscard]] T number(std::uint64_t at) const {
    if (at > source_.bytes.size() || source_.bytes.size() - at < sizeof(T)) {
      fail("a place lies beyond the end");
    }
    T value;
    std::memcpy(&value, source_.bytes.data() + at, sizeof(T));
    return value;
  }
  /// Where the table, vector or text that the offset at `at` names begins.
  [[nodiscard]] std::uint64_t follow(std::uint64_t at) const {
    return at + number<std::uint32_t>(at);
  }
  [[nodiscard]] std::uint64_t root() const { return follow(0); }

  /// Where the field of a table lies; 0: it is not there.
  [[nodiscard]] std::uint64_t field(std::uint64_t table,
                                    unsigned number_of_field) const {
    const auto back = number<std::int32_t>(table);
    const auto vtable = static_cast<std::int64_t>(table) - back;
    if (vtable < 0) fail("a table has no fields");
    const auto at = static_cast<std::uint64_t>(vtable);
    const auto place = 4 + 2 * static_cast<std::uint64_t>(number_of_field);
    if (place + 2 > number<std::uint16_t>(at)) return 0;
    const auto offset = number<std::uint16_t>(at + place);
    return offset == 0 ? 0 : table + offset;
  }
  template <class T>
  [[nodiscard]] T value(std::uint64_t table, unsigned field_number) const {
    const auto at = field(table, field_number);
    return at == 0 ? T{} : number<T>(at);
  }
  [[nodiscard]] std::string_view text(std::uint64_t table,
                                      unsigned field_number) const {
    const FlatVector letters = vector(table, field_number, 1);
    return source_.bytes.substr(letters.begin, letters.count);
  }
  /// A list whose elements take `size` bytes.
  [[nodiscard]] FlatVector vector(std::uint64_t table, unsigned field_number,
                                  std::uint64_t size) const {
    const auto at = field(table, field_number);
    if (at == 0) return {};
    const auto begin = follow(at);
    const auto count = number<std::uint32_t>(begin);  // and begin is within
    if (count > (source_.bytes.size() - begin - 4) / size) {
      fail("a list is longer than the file");
    }
    return {begin + 4, count};
  }
  /// Element i of a list of tables.
  [[nodiscard]] std::uint64_t table(const FlatVector& list,
                                    std::uint32_t i) const {
    if (i >= list.count) fail("a list has no such element");
    return follow(list.begin + 4 * static_cast<std::uint64_t>(i));
  }
  [[noreturn]] void fail(const char* problem) const {
    source_.fail(problem, source_.bytes.data());
  }

 private:
  const Source& source_;
};

}  // namespace penstock::heads
