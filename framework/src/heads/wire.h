// Walks over the fields of a protobuf message, as written on the wire. Nothing
// is copied; a length is compared with what is left before it is used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::heads {

/// The whole file, for messages and for the places in them.
struct Source {
  std::string name;
  std::string_view bytes;

  /// Throws Error(kData): the file, the problem, the byte, what to do.
  [[noreturn]] void fail(const std::string& problem, const char* at) const;
};

/// Takes a number off the front of `rest`; nothing: it has no end.
std::optional<std::uint64_t> take_varint(std::string_view& rest);

class Fields {
 public:
  /// `message` is a part of the source's bytes.
  Fields(const Source& source, std::string_view message)
      : source_(source), rest_(message) {}

  /// Goes to the next field; false: there is none.
  bool next();
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// A field of type varint; of another type it is damage.
  [[nodiscard]] std::uint64_t value() const;
  /// A field of type bytes: text or a message within.
  [[nodiscard]] std::string_view bytes() const;
  [[nodiscard]] bool is_bytes() const { return bytes_.has_value(); }
  [[nodiscard]] Fields message() const { return {source_, bytes()}; }
  [[nodiscard]] std::string text() const { return std::string(bytes()); }

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);

  const Source& source_;
  std::string_view rest_;
  std::uint64_t number_ = 0;
  std::optional<std::uint64_t> value_;
  std::optional<std::string_view> bytes_;
};

/// Calls see(value) for each number of a repeated field, packed or not.
template <class See>
void each_number(const Source& source, const Fields& field, const See& see) {
  if (!field.is_bytes()) {
    see(static_cast<std::int64_t>(field.value()));
    return;
  }
  std::string_view rest = field.bytes();
  while (!rest.empty()) {
    const auto value = take_varint(rest);
    if (!value) source.fail("a number has no end", field.bytes().data());
    see(static_cast<std::int64_t>(*value));
  }
}

}  // namespace penstock::heads
