// A sentencepiece model from the tokenizer arrays of a GGUF file, or from a
// tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "penstock/weights.h"

namespace penstock::gemma {

struct Vocabulary {
  std::string model;  ///< a serialised sentencepiece ModelProto
  std::int64_t bos = 2;
  std::int64_t context_length = 0;
  /// Whether a text begins with <bos>, and with a space that nobody typed: what
  /// a file says of it, else as Gemma was trained.
  bool adds_bos = true, adds_space = false;
};

/// Throws Error(kData) when the arrays do not fit together.
[[nodiscard]] Vocabulary read_vocabulary(const WeightFile& file);

/// Of a tokenizer.json: vocabulary, merges and added tokens. Throws
/// Error(kData) when it is no BPE with byte fallback, or when its merges say
/// something that scores cannot.
[[nodiscard]] Vocabulary read_vocabulary(const std::filesystem::path& json);

}  // namespace penstock::gemma
