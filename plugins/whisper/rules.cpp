#include "whisper/rules.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "penstock/random.h"

namespace penstock::whisper {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void forbid(std::span<float> scores, std::int64_t from, std::int64_t to) {
  const auto size = static_cast<std::int64_t>(scores.size());
  for (std::int64_t i = std::max<std::int64_t>(0, from); i < std::min(to, size);
       ++i) {
    scores[static_cast<std::size_t>(i)] = kNever;
  }
}

double log_sum(std::span<const float> scores) {
  const float most = *std::max_element(scores.begin(), scores.end());
  if (most == kNever) return -std::numeric_limits<double>::infinity();
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - most);
  return most + std::log(sum);
}

void forbid_unpaired(std::span<float> scores, const Vocabulary& words,
                     TextTokens tokens) {
  const auto is_time = [&](std::int64_t id) { return id >= words.first_time; };
  const auto size = static_cast<std::int64_t>(scores.size());
  const std::size_t count = tokens.size();
  const bool is_last_time = count >= 1 && is_time(tokens[count - 1]);
  const bool is_before_time = count < 2 || is_time(tokens[count - 2]);
  if (is_last_time) {
    if (is_before_time) {
      forbid(scores, words.first_time, size);
    } else {
      forbid(scores, 0, words.end);
    }
  }
  const auto last = std::find_if(tokens.rbegin(), tokens.rend(), is_time);
  if (last == tokens.rend()) return;
  const bool may_repeat = is_last_time && !is_before_time;
  forbid(scores, words.first_time, may_repeat ? *last : *last + 1);
}

}  // namespace

void apply_time_rules(std::span<float> scores, const Vocabulary& words,
                      TextTokens tokens, std::int64_t max_first) {
  const auto size = static_cast<std::int64_t>(scores.size());
  forbid(scores, words.no_timestamps, words.no_timestamps + 1);
  forbid_unpaired(scores, words, tokens);
  if (tokens.empty()) {
    forbid(scores, 0, words.first_time);
    forbid(scores, words.first_time + max_first + 1, size);
  }
  const auto first = static_cast<std::size_t>(words.first_time);
  const auto texts = scores.first(first);
  const float best_text = *std::max_element(texts.begin(), texts.end());
  if (log_sum(scores.subspan(first)) > best_text) {
    forbid(scores, 0, words.first_time);
  }
}

void suppress(std::span<float> scores, const Vocabulary& words,
              TextTokens tokens) {
  for (const std::int64_t id : words.suppressed) forbid(scores, id, id + 1);
  if (!tokens.empty()) return;
  for (const std::int64_t id : words.suppressed_at_begin) {
    forbid(scores, id, id + 1);
  }
}

double compression_ratio(const std::string& text) {
  if (text.empty()) return 0;
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::vector<Bytef> out(size);
  compress(out.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  return static_cast<double>(text.size()) / static_cast<double>(size);
}

std::int64_t sample(std::span<const float> scores, double temperature,
                    std::uint64_t seed, std::uint64_t place) {
  const float most = *std::max_element(scores.begin(), scores.end());
  std::vector<double> sums;
  sums.reserve(scores.size());
  double sum = 0;
  for (const float score : scores) {
    sum += std::exp((score - most) / temperature);
    sums.push_back(sum);
  }
  const double at = uniform(place, seed) * sum;
  const auto found = std::upper_bound(sums.begin(), sums.end(), at);
  return std::min<std::int64_t>(found - sums.begin(),
                                static_cast<std::int64_t>(sums.size()) - 1);
}

std::string text_of(const Vocabulary& words, TextTokens tokens) {
  std::string out;
  for (const std::int64_t id : tokens) {
    if (id < words.end) out += words.bytes(id);
  }
  return out;
}

}  // namespace penstock::whisper
