// The params of core.sample; each may be set by a request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/params.h"

namespace penstock::core {

struct SampleParams {
  double temperature = 0;
  std::int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double repetition_penalty = 1;
  double frequency_penalty = 0;
  double presence_penalty = 0;
  std::int64_t no_repeat_ngram_size = 0;
  std::vector<std::string> logit_bias = {};
  std::vector<std::int64_t> banned_ids = {};
  std::vector<std::string> bad_words = {};
  std::int64_t n = 1;
  std::int64_t logprobs = -1;
  std::int64_t prompt_logprobs = -1;
  std::int64_t seed = 0;
  std::int64_t min_new_tokens = 0;
  std::int64_t max_new_tokens = 64;
  std::vector<std::int64_t> stop_ids = {};
  bool ignore_eos = false;
  std::string speculate = "none";
  std::int64_t draft_tokens = 8;
};

/// What is wrong between them, or in a list; "": nothing.
[[nodiscard]] std::string conflict(const SampleParams& params);

}  // namespace penstock::core
