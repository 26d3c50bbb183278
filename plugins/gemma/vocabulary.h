// A sentencepiece model from the tokenizer arrays of a GGUF file.
#pragma once

#include <cstdint>
#include <string>

#include "penstock/weights.h"

namespace penstock::gemma {

struct Vocabulary {
  std::string model;  ///< a serialised sentencepiece ModelProto
  std::int64_t bos = 2;
  std::int64_t context_length = 0;
};

/// Throws Error(kData) when the arrays do not fit together.
[[nodiscard]] Vocabulary read_vocabulary(const WeightFile& file);

}  // namespace penstock::gemma
