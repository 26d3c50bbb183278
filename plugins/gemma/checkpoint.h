// A Gemma 3 model as it lies on disk, whoever wrote it: a GGUF file, or a
// Hugging Face folder with safetensors. The names are GGUF's in both cases.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gemma/config.h"
#include "penstock/weights.h"

namespace penstock::gemma {

/// Const after opening: any thread may use it.
class Checkpoint {
 public:
  /// Throws Error(kNotFound or kData).
  explicit Checkpoint(const std::filesystem::path& path);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const WeightFile& file() const { return file_; }

  /// The tensor "token_embd", "output_norm" or "blk.N.attn_q" ..., as it is
  /// stored. Throws Error(kData) when it is missing or of another shape.
  [[nodiscard]] const WeightTensor& at(
      const std::string& name, const std::vector<std::int64_t>& shape) const;
  /// A norm's factors: 1 + w, as GGUF stores them; Hugging Face stores w.
  [[nodiscard]] std::vector<float> norm(const std::string& name,
                                        std::int64_t size) const;

 private:
  [[nodiscard]] std::string stored_name(const std::string& name) const;

  WeightFile file_;
  bool is_gguf_;
  std::string prefix_;  ///< before "layers.0.": Hugging Face's, it varies
  Config config_;
};

[[nodiscard]] bool is_gguf(const WeightFile& file);

/// Where a safetensors model at `path`, a folder or a file in it, has its
/// config.json and its tokenizer.
[[nodiscard]] std::filesystem::path model_folder(
    const std::filesystem::path& path);

}  // namespace penstock::gemma
