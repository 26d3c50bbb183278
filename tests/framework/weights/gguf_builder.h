// Builds small GGUF files in memory, good ones and broken ones.
//
//   const auto bytes = GgufBuilder()
//                          .text("general.architecture", "gemma3")
//                          .number<std::uint32_t>("gemma3.block_count", 2)
//                          .tensor({.name = "w", .dims = {4}, .data = ...})
//                          .build();
//
// Nothing is checked: counts, offsets, types and alignment can be set to what
// no writer would write.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::testing {

/// Appends numbers and texts as GGUF stores them.
class ByteWriter {
 public:
  template <class T>
  ByteWriter& number(T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  ByteWriter& raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  ByteWriter& text(std::string_view text) {
    number<std::uint64_t>(text.size());
    return raw(std::as_bytes(std::span(text.data(), text.size())));
  }
  ByteWriter& pad(std::size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back(std::byte{0});
    return *this;
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Bytes of numbers, for tensor data.
template <class T>
[[nodiscard]] std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

class GgufBuilder {
 public:
  struct Tensor {
    std::string name = "w";
    std::vector<std::uint64_t> dims = {};  // innermost first, as in the file
    std::uint32_t type = 0;                // ggml's number; 0 is F32
    std::vector<std::byte> data = {};
    /// Where the data is said to lie; by default, where it does.
    std::optional<std::uint64_t> offset = std::nullopt;
  };

  GgufBuilder& magic(const std::string& text) { return set(magic_, text); }
  GgufBuilder& version(std::uint32_t value) { return set(version_, value); }
  /// The numbers of tensors and keys the header claims.
  GgufBuilder& tensor_count(std::uint64_t n) { return set(tensor_count_, n); }
  GgufBuilder& key_count(std::uint64_t n) { return set(key_count_, n); }
  /// Where data is put; general.alignment is a key like any other.
  GgufBuilder& alignment(std::uint32_t n) { return set(alignment_, n); }

  /// A key with any type number and any bytes after it.
  GgufBuilder& raw(std::string_view key, std::uint32_t type,
                   std::span<const std::byte> value) {
    keys_.text(key).number(type).raw(value);
    ++keys_written_;
    return *this;
  }
  template <class T>
  GgufBuilder& number(std::string_view key, T value) {
    return raw(key, type_code<T>(), std::as_bytes(std::span(&value, 1)));
  }
  GgufBuilder& text(std::string_view key, std::string_view value) {
    return raw(key, kText, ByteWriter().text(value).bytes());
  }
  template <class T>
  GgufBuilder& numbers(std::string_view key, const std::vector<T>& values) {
    ByteWriter array;
    array.number(type_code<T>()).template number<std::uint64_t>(values.size());
    return raw(key, kArray, array.raw(bytes_of(values)).bytes());
  }
  GgufBuilder& texts(std::string_view key,
                     const std::vector<std::string>& values) {
    ByteWriter array;
    array.number(kText).number<std::uint64_t>(values.size());
    for (const auto& value : values) array.text(value);
    return raw(key, kArray, array.bytes());
  }
  GgufBuilder& tensor(Tensor tensor) {
    tensors_.push_back(std::move(tensor));
    return *this;
  }

  /// Magic to the last tensor description: what comes before the data.
  [[nodiscard]] std::vector<std::byte> header() const {
    ByteWriter out;
    out.raw(std::as_bytes(std::span(magic_))).number(version_);
    out.number(tensor_count_.value_or(tensors_.size()));
    out.number(key_count_.value_or(keys_written_)).raw(keys_.bytes());
    std::uint64_t next = 0;
    for (const auto& tensor : tensors_) {
      out.text(tensor.name);
      out.number(static_cast<std::uint32_t>(tensor.dims.size()));
      for (const auto size : tensor.dims) out.number(size);
      out.number(tensor.type).number(tensor.offset.value_or(next));
      next = aligned(next + tensor.data.size());
    }
    return out.bytes();
  }
  /// The whole file; it ends with the last byte of the last tensor.
  [[nodiscard]] std::vector<std::byte> build() const {
    ByteWriter out;
    out.raw(header());
    for (const auto& tensor : tensors_) out.pad(alignment_).raw(tensor.data);
    return out.bytes();
  }

  static constexpr std::uint32_t kText = 8;
  static constexpr std::uint32_t kArray = 9;

  template <class T>
  [[nodiscard]] static constexpr std::uint32_t type_code() {
    if constexpr (std::same_as<T, bool>) return 7;
    if constexpr (std::same_as<T, float>) return 6;
    if constexpr (std::same_as<T, double>) return 12;
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
      constexpr std::uint32_t kSigned = std::is_signed_v<T> ? 1 : 0;
      if constexpr (sizeof(T) == 1) return 0 + kSigned;
      if constexpr (sizeof(T) == 2) return 2 + kSigned;
      if constexpr (sizeof(T) == 4) return 4 + kSigned;
      if constexpr (sizeof(T) == 8) return 10 + kSigned;
    }
  }

 private:
  template <class Field, class Value>
  GgufBuilder& set(Field& field, const Value& value) {
    field = value;
    return *this;
  }
  [[nodiscard]] std::uint64_t aligned(std::uint64_t n) const {
    return (n + alignment_ - 1) / alignment_ * alignment_;
  }

  std::string magic_ = "GGUF";
  std::uint32_t version_ = 3;
  std::uint32_t alignment_ = 32;
  std::optional<std::uint64_t> tensor_count_;
  std::optional<std::uint64_t> key_count_;
  std::uint64_t keys_written_ = 0;
  ByteWriter keys_;
  std::vector<Tensor> tensors_;
};

}  // namespace penstock::testing
