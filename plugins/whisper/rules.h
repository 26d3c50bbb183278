// Rules: which tokens may follow, and how certain a window's text is. The order
// and the numbers are those of openai/whisper and transformers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "whisper/vocabulary.h"

namespace penstock::whisper {

/// Tokens of a window's text so far, without the prompt.
using TextTokens = std::span<const std::int64_t>;

/// Forbids tokens by -infinity: times come in pairs and never go back, the
/// first is at most `max_first` steps of 20 ms, and where a time is likelier
/// than every word it must be one. Needs f32[vocab] scores.
void apply_time_rules(std::span<float> scores, const Vocabulary& words,
                      TextTokens said, std::int64_t max_first);
/// Forbids tokens that the model's settings forbid.
void suppress(std::span<float> scores, const Vocabulary& words,
              TextTokens said);

/// Bytes of a text for each byte of its zlib compression; high for repetitions.
[[nodiscard]] double compression_ratio(const std::string& text);

/// Samples a token from scores / temperature; the same for the
/// same seed and place.
[[nodiscard]] std::int64_t sample(std::span<const float> scores,
                                  double temperature, std::uint64_t seed,
                                  std::uint64_t place);

/// The text of tokens; times and other marks are left out.
[[nodiscard]] std::string text_of(const Vocabulary& words, TextTokens tokens);

}  // namespace penstock::whisper
