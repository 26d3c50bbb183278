// Reads model weight files.
//
// A weight file holds named tensors, most of them quantised, and metadata:
// typed values under text keys. WeightFile maps one into memory, checks it and
// hands out views; dequantize() turns rows of a tensor into numbers. Nothing
// here knows which file format lies underneath, and nothing needs libtorch.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/export.h"

namespace penstock {

/// How the numbers of a tensor are stored; names as ggml writes them.
enum class WeightType {
  // NOLINTBEGIN(readability-identifier-naming)
  kF32,
  kF16,
  kBF16,
  kQ8_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  // NOLINTEND(readability-identifier-naming)
};

/// The unit a type is stored in: a row is a whole number of blocks.
struct WeightBlock {
  std::int64_t elements = 1;
  std::int64_t bytes = 0;
};

/// The block of `type`; {1, size of a number} for the plain types.
[[nodiscard]] PENSTOCK_API WeightBlock weight_block(WeightType type);

/// How a quantised type makes numbers of small codes:
/// `scale * (code - zero) - minimum`, with a scale and a minimum a group.
struct WeightCoding {
  int bits = 8;             ///< a code is below 2^bits
  std::int64_t group = 32;  ///< consecutive numbers of one scale
  int zero = 0;
  bool has_minimum = false;  ///< else it is 0
  bool is_half = true;       ///< scales and minimums fit 16-bit floats exactly
};

/// Nothing for the plain types.
[[nodiscard]] PENSTOCK_API std::optional<WeightCoding> weight_coding(
    WeightType type);

/// The name people know the type by, such as "Q4_K".
[[nodiscard]] PENSTOCK_API std::string_view to_string(WeightType type);

/// One tensor of a file: a view, good for as long as the WeightFile lives.
struct WeightTensor {
  std::string name;
  WeightType type = WeightType::kF32;
  /// Row-major, outermost first: a linear layer is
  /// `[out_features, in_features]`. Empty for a single number.
  std::vector<std::int64_t> shape;
  /// The stored blocks, row after row. WeightFile gives exactly
  /// `rows() * columns()` elements' worth. GGUF starts them on 8 bytes or
  /// more, safetensors may at any byte.
  std::span<const std::byte> data;

  /// Numbers in a row: the last dimension, or 1.
  [[nodiscard]] PENSTOCK_API std::int64_t columns() const;
  /// Product of all dimensions but the last.
  [[nodiscard]] PENSTOCK_API std::int64_t rows() const;
};

/// A weight file or folder of them, mapped read-only and checked when it is
/// opened.
///
/// Const after opening, so any number of threads may read it. Every
/// `string_view` and `span` it hands out points into the mapping. The file must
/// not be shortened while it is open: the system answers that with SIGBUS.
///
/// Getters throw Error(kData) that names file, key or tensor, what was found
/// and what was expected. `find_...` answers nothing when the name is absent,
/// and still throws when it is there with another type.
class PENSTOCK_API WeightFile {
 public:
  /// Maps and checks what is at `path`: a GGUF file (version 2 or 3, also in
  /// parts such as x-00001-of-00003.gguf), a safetensors file, or a folder
  /// with one of these or with model.safetensors.index.json. Throws kNotFound
  /// when it cannot be read, kData when it is not what it should be.
  [[nodiscard]] static WeightFile open(const std::filesystem::path& path);

  WeightFile(WeightFile&& other) noexcept;
  WeightFile& operator=(WeightFile&& other) noexcept;
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;
  ~WeightFile();

  /// As given to open().
  [[nodiscard]] const std::filesystem::path& path() const;
  /// The format in words: "GGUF 3", "safetensors", "safetensors in 2 files".
  [[nodiscard]] const std::string& format() const;

  /// All tensors, in the order of the file.
  [[nodiscard]] std::span<const WeightTensor> tensors() const;
  [[nodiscard]] std::optional<WeightTensor> find(std::string_view name) const;
  /// Names of every tensor that lies in the files, also of those whose type
  /// this version cannot read: at() says which type that is.
  [[nodiscard]] std::vector<std::string_view> names() const;
  /// Whether the files have this tensor, or their index says that they should.
  [[nodiscard]] bool is_named(std::string_view name) const;
  /// Throws when there is no such tensor, naming the nearest one.
  [[nodiscard]] const WeightTensor& at(std::string_view name) const;
  /// As at(name), and throws when the shape differs.
  [[nodiscard]] const WeightTensor& at(
      std::string_view name,
      const std::vector<std::int64_t>& expected_shape) const;

  /// All metadata keys, in the order of the file.
  [[nodiscard]] std::vector<std::string_view> keys() const;
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_array(std::string_view key) const;

  /// Any stored integer type whose value fits.
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  /// A float or an integer; always finite.
  [[nodiscard]] double real(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::string_view text(std::string_view key) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key) const;
  [[nodiscard]] std::vector<bool> booleans(std::string_view key) const;
  [[nodiscard]] std::vector<double> reals(std::string_view key) const;
  [[nodiscard]] std::vector<std::string_view> texts(std::string_view key) const;

  template <class T>
  using Maybe = std::optional<T>;
  [[nodiscard]] Maybe<std::int64_t> find_integer(std::string_view key) const;
  [[nodiscard]] Maybe<double> find_real(std::string_view key) const;
  [[nodiscard]] Maybe<bool> find_boolean(std::string_view key) const;
  [[nodiscard]] Maybe<std::string_view> find_text(std::string_view key) const;

 private:
  struct Impl;
  explicit WeightFile(std::unique_ptr<const Impl> impl);

  std::unique_ptr<const Impl> impl_;
};

/// Writes rows [row_begin, row_end) of `tensor` as float to `out`, which has
/// room for exactly those rows. Bit-equal with ggml's reference. Throws kData
/// naming tensor and row when a scale or a stored number is NaN or infinite,
/// kInternal when the range or `out` does not fit. Threads may share a tensor
/// and take different rows.
PENSTOCK_API void dequantize(const WeightTensor& tensor, std::int64_t row_begin,
                             std::int64_t row_end, std::span<float> out);

/// As dequantize(), then rounded to bfloat16, nearest even: the upper half of
/// the float's bits.
PENSTOCK_API void dequantize_bf16(const WeightTensor& tensor,
                                  std::int64_t row_begin, std::int64_t row_end,
                                  std::span<std::uint16_t> out);

/// Room for what unpack() writes: rows of codes, and for each group of them a
/// scale and a minimum.
struct WeightCodes {
  std::span<std::uint8_t> codes;
  std::span<float> scales, minimums;
};

/// Writes rows [row_begin, row_end) of a quantised `tensor` as codes, in the
/// order of the columns. Throws as dequantize().
PENSTOCK_API void unpack(const WeightTensor& tensor, std::int64_t row_begin,
                         std::int64_t row_end, const WeightCodes& out);

}  // namespace penstock
