// Arrays: the numbers of a Whisper model by CTranslate2's names, whichever
// format they lie in: CTranslate2's model.bin, or a folder of Hugging Face with
// safetensors. Needs no libtorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penstock/weights.h"

namespace penstock::whisper {

class Arrays {
 public:
  virtual ~Arrays();
  /// Opens a model.bin, or a folder with model.bin or safetensors and
  /// config.json. Throws Error(kNotFound), Error(kData).
  [[nodiscard]] static std::unique_ptr<Arrays> open(
      const std::filesystem::path& path);

  /// Name for messages.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool has(const std::string& array) const = 0;
  /// Shape of an array; throws Error(kData) when there is none of that name.
  [[nodiscard]] virtual std::vector<std::int64_t> shape(
      const std::string& array) const = 0;
  /// The tensors whose rows follow one another in an array; one without data is
  /// zeros. Throws as shape() does. Valid as long as this lives.
  [[nodiscard]] virtual std::vector<WeightTensor> parts(
      const std::string& array) const = 0;
  /// All numbers of an array, row-major; throws as shape() does, and for NaN
  /// and infinity.
  [[nodiscard]] std::vector<float> floats(const std::string& array) const;
  /// Attention heads of "encoder" or "decoder".
  [[nodiscard]] virtual std::int64_t heads(const std::string& side) const = 0;
  /// Number of weights of the model.
  [[nodiscard]] virtual std::int64_t size() const = 0;
};

/// Reads a row of an array; throws Error(kData) for NaN and infinity.
void read_row(std::span<const WeightTensor> parts, std::int64_t row,
              std::span<float> to);

/// Throws Error(kData) unless the array has that shape.
void check_shape(const Arrays& file, const std::string& array,
                 const std::vector<std::int64_t>& shape);

/// The folder with the files beside a model: the one that `model` is or is in.
[[nodiscard]] std::filesystem::path folder_of(const std::string& model);

/// The names in transformers for a CTranslate2 name such as
/// "encoder/layer_0/self_attention/linear_0/bias": their tensors follow one
/// another in that array, and "" is one of zeros that is left out. Empty where
/// transformers has no such array.
[[nodiscard]] std::vector<std::string> names_in_transformers(
    const std::string& array);

}  // namespace penstock::whisper
