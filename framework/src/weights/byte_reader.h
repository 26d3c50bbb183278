// Walks over bytes nobody has checked yet. Each read is compared with what is
// left before it happens, and a failure names the file, the place, what was
// being read and for which key or tensor.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::weights {

static_assert(std::endian::native == std::endian::little,
              "weight files are little-endian and are read in place");

/// Reads a T from unaligned bytes; `bytes` must hold at least one.
template <class T>
[[nodiscard]] T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

/// `text` in quotes, cut at 80 bytes, with unprintable bytes as \xNN: names
/// from a hostile file must not reach a terminal as they are.
[[nodiscard]] std::string in_quotes(std::string_view text);

class ByteReader {
 public:
  /// `file` is for messages. No read goes past `limit` bytes: the header must
  /// end before it.
  ByteReader(std::span<const std::byte> bytes, std::string_view file,
             std::uint64_t limit);

  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t left() const { return end_ - offset_; }

  /// The bytes read since the offset `start`.
  [[nodiscard]] std::span<const std::byte> since(std::uint64_t start) const {
    return bytes_.subspan(start, offset_ - start);
  }

  /// Where in the file `part`, which was taken from it, begins.
  [[nodiscard]] std::uint64_t offset_of(std::span<const std::byte> part) const {
    return static_cast<std::uint64_t>(part.data() - bytes_.data());
  }

  /// What the following reads belong to, such as "tensor 'a'"; for messages.
  void set_subject(std::string subject) { subject_ = std::move(subject); }

  template <class T>
  [[nodiscard]] T number(std::string_view what) {
    return load<T>(take(sizeof(T), what).data());
  }

  /// The next `count` bytes; `what` says in messages what they are.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);

  /// A length of 8 bytes, then that many bytes of text.
  std::string_view text(std::string_view what);

  /// A number of things to follow, each at least `least_bytes` long.
  std::uint64_t count(std::uint64_t most, std::uint64_t least_bytes,
                      std::string_view what);

  /// Throws Error(kData): file, subject, `problem`, byte `where`, what to do.
  [[noreturn]] void fail(std::uint64_t where, const std::string& problem) const;

 private:
  [[noreturn]] void fail_short(std::uint64_t needed,
                               std::string_view what) const;

  std::span<const std::byte> bytes_;
  std::string_view file_;
  std::string subject_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace penstock::weights
