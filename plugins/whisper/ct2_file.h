// Ct2File: a strict reader of CTranslate2's model.bin, version 6: named arrays
// and nothing else. Every length is checked before it is used, and the whole
// file must be consumed; it is mapped, not read. Needs no libtorch.
//
//   u32 version · text spec · u32 revision · u32 count
//   count x { text name · u8 rank · rank x u32 dim · u8 type · u32 bytes · raw
//   } u32 aliases · aliases x { text alias · text name } text = u16 length with
//   its NUL · bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penstock/mapped_file.h"
#include "penstock/weights.h"

namespace penstock::whisper {

enum class Ct2Type {
  kF32 = 0,
  kI8 = 1,
  kI16 = 2,
  kI32 = 3,
  kF16 = 4,
  kBF16 = 5
};

struct Ct2Tensor {
  Ct2Type type = Ct2Type::kF32;
  std::vector<std::int64_t> shape;  ///< empty: a number
  std::span<const std::byte> data;  ///< into the file's bytes
};

class Ct2File {
 public:
  /// Maps a file; throws Error(kNotFound) when it cannot be read, Error(kData)
  /// with the place when it is not what it should be.
  [[nodiscard]] static Ct2File open(const std::filesystem::path& path);
  /// `name` is for messages.
  Ct2File(std::string name, std::string bytes);
  Ct2File(const Ct2File&) = delete;
  Ct2File& operator=(const Ct2File&) = delete;
  Ct2File(Ct2File&&) = default;
  Ct2File& operator=(Ct2File&&) = delete;
  ~Ct2File() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Model spec that the file names, such as WhisperSpec.
  [[nodiscard]] const std::string& spec() const { return spec_; }
  [[nodiscard]] const std::map<std::string, Ct2Tensor>& tensors() const {
    return tensors_;
  }
  /// The array of that name; throws Error(kData) when there is none.
  [[nodiscard]] const Ct2Tensor& at(const std::string& name) const;
  /// A whole number without dims; throws Error(kData) when it is not that.
  [[nodiscard]] std::int64_t integer(const std::string& name) const;

 private:
  Ct2File(std::string name, std::unique_ptr<const MappedFile> file);
  void parse(std::span<const std::byte> bytes);

  std::string name_;
  std::unique_ptr<const MappedFile> file_;    ///< tensors point into this
  std::unique_ptr<const std::string> bytes_;  ///< or that
  std::string spec_;
  std::map<std::string, Ct2Tensor> tensors_;
};

/// The array as dequantize() takes it; throws Error(kData) for whole numbers.
[[nodiscard]] WeightTensor to_weights(const std::string& name,
                                      const Ct2Tensor& tensor);

}  // namespace penstock::whisper
