// Embeddings as OpenAI's API has them: numbers, or base64 of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline_serve/api/sse.h"

namespace penstock::serve {

/// The numbers of a stage's {"embedding": [...]}.
[[nodiscard]] std::vector<float> numbers_of(const std::string& json);
/// The first `size` numbers, of length 1 again.
[[nodiscard]] std::vector<float> cut_vector(std::vector<float> numbers,
                                            std::size_t size);
/// As many digits as tell one float from the next.
[[nodiscard]] OutJson number_list(const std::vector<float>& numbers);
/// Base64 of little-endian float32.
[[nodiscard]] std::string base64_of(const std::vector<float>& numbers);

}  // namespace penstock::serve
