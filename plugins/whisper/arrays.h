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
  /// A model.bin, or a folder with model.bin or safetensors and config.json.
  /// Throws Error(kNotFound), Error(kData).
  [[nodiscard]] static std::unique_ptr<Arrays> open(
      const std::filesystem::path& path);

  /// For messages.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool has(const std::string& array) const = 0;
  /// Throws Error(kData) when there is none of that name.
  [[nodiscard]] virtual std::vector<std::int64_t> shape(
      const std::string& array) const = 0;
  /// Whose rows follow one another; one without data is zeros. Throws as
  /// shape(). Good for as long as this lives.
  [[nodiscard]] virtual std::vector<WeightTensor> parts(
      const std::string& array) const = 0;
  /// All numbers, row-major; throws as shape(), and for NaN and infinity.
  [[nodiscard]] std::vector<float> floats(const std::string& array) const;
  /// Attention heads of "encoder" or "decoder".
  [[nodiscard]] virtual std::int64_t heads(const std::string& side) const = 0;
  /// How many numbers the model has.
  [[nodiscard]] virtual std::int64_t size() const = 0;
};

/// A row of an array; throws Error(kData) for NaN and infinity.
void read_row(std::span<const WeightTensor> parts, std::int64_t row,
              std::span<float> to);

/// Throws Error(kData) unless the array has that shape.
void check_shape(const Arrays& file, const std::string& array,
                 const std::vector<std::int64_t>& shape);

/// Where the files beside a model lie: the folder that `model` is or is in.
[[nodiscard]] std::filesystem::path folder_of(const std::string& model);

/// CTranslate2's "encoder/layer_0/self_attention/linear_0/bias" as the names
/// that transformers has for it, which follow one another in that array;
/// "" for one that is 0 and left out. None: it has no such array.
[[nodiscard]] std::vector<std::string> names_in_transformers(
    const std::string& array);

}  // namespace penstock::whisper
