// The sizes and constants of a Gemma 3 text model, read from the keys of a GGUF
// file or from a Hugging Face folder's config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "penstock/value.h"
#include "penstock/weights.h"

namespace penstock::gemma {

struct Config {
  std::int64_t hidden = 0;  ///< width of the residual stream
  std::int64_t layers = 0;
  std::int64_t heads = 0;     ///< query heads
  std::int64_t kv_heads = 0;  ///< key/value heads; heads is a multiple
  std::int64_t head_dim = 0;  ///< need not be hidden / heads
  std::int64_t ffn = 0;       ///< width of the feed-forward block
  std::int64_t vocab = 0;
  std::int64_t context = 0;   ///< longest sequence
  std::int64_t window = 0;    ///< keys that a sliding layer sees, itself one
  std::int64_t pattern = 6;   ///< every pattern-th layer sees all
  std::vector<bool> sliding;  ///< by layer, where a file says it; else empty
  double norm_epsilon = 1e-6;
  double rope_base = 1e6;        ///< of full layers
  double rope_base_local = 1e4;  ///< of sliding layers
  double rope_scale = 1;         ///< positions of full layers divided by it
  double attention_scale = 0;    ///< multiplies query . key
  bool is_tied = true;           ///< the embedding is the output projection
  Tokens eos_ids;

  [[nodiscard]] bool is_sliding(std::int64_t layer) const {
    return sliding.empty() ? (layer + 1) % pattern != 0
                           : sliding[static_cast<std::size_t>(layer)];
  }
};

/// From GGUF. Throws Error(kData) when the file is of another architecture, or
/// says something that no such model can be.
[[nodiscard]] Config read_config(const WeightFile& file);
/// From `config.json` in old or new spelling, of a text model or of the text
/// part of a multimodal one, and `generation_config.json` where it is there.
[[nodiscard]] Config read_config(const std::filesystem::path& folder);
/// What both must hold to: sizes that fit each other.
void check_config(const Config& config);

}  // namespace penstock::gemma
