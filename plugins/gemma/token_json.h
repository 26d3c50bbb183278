// Log-probabilities of tokens as JSON, in OpenAI's words.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "gemma/tokenizer.h"

namespace penstock::gemma {

/// {"KEY": [{"token", "logprob", "bytes", "top_logprobs": [...]}, ...]} of
/// ids i64[T, 1+n] and values f32[T, 1+n]: each token, then the best n. Longer
/// by one in front, without a log-probability, where `first` is an id.
[[nodiscard]] std::string token_json(const Tokenizer& tokenizer,
                                     const std::string& key,
                                     const at::Tensor& ids,
                                     const at::Tensor& values,
                                     std::int64_t first = -1);

}  // namespace penstock::gemma
