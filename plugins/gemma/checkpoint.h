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
  /// Throws Error(kNotFound or kData), also where the files hold a tensor that
  /// no part of the model would read: it would give other numbers without it.
  explicit Checkpoint(const std::filesystem::path& path);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const WeightFile& file() const { return file_; }

  /// The tensor "token_embd", "output_norm" or "blk.N.attn_q" ..., as it is
  /// stored; "output" is the embedding where the model has no projection of its
  /// own. Throws Error(kData) when it is missing or of another shape.
  [[nodiscard]] const WeightTensor& at(
      const std::string& name, const std::vector<std::int64_t>& shape) const;
  /// A norm's factors: 1 + w, as GGUF stores them; Hugging Face stores w.
  [[nodiscard]] std::vector<float> norm(const std::string& name,
                                        std::int64_t size) const;

 private:
  [[nodiscard]] std::string stored_name(const std::string& name) const;
  [[nodiscard]] std::string find_output() const;
  void check_all_read() const;

  WeightFile file_;
  bool is_gguf_;
  std::string prefix_;  ///< before "layers.0.": Hugging Face's, it varies
  Config config_;
  std::string output_;  ///< the stored name of the output projection
};

[[nodiscard]] bool is_gguf(const WeightFile& file);

/// Where a safetensors model at `path`, a folder or a file in it, has its
/// config.json and its tokenizer.
[[nodiscard]] std::filesystem::path model_folder(
    const std::filesystem::path& path);

}  // namespace penstock::gemma
