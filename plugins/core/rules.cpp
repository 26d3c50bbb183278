#include "core/rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include "core/repeats.h"
#include "penstock/error.h"

namespace penstock::core {
namespace {

constexpr std::int64_t kMostId = 1'000'000'000;
constexpr double kMostBias = 1e4;

/// A whole text as a number in the range.
template <class T>
bool read(const std::string& text, T& to, T least, T most) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, to);
  return result.ec == std::errc() && result.ptr == end && to >= least &&
         to <= most;
}

}  // namespace

std::map<std::int64_t, float> parse_bias(
    const std::vector<std::string>& texts) {
  std::map<std::int64_t, float> out;
  for (const std::string& text : texts) {
    const auto colon = text.find(':');
    const std::string id = text.substr(0, colon);
    const std::string bias =
        colon == std::string::npos ? "" : text.substr(colon + 1);
    std::int64_t token = 0;
    double value = 0;
    if (!read(id, token, std::int64_t{0}, kMostId) ||
        !read(bias, value, -kMostBias, kMostBias)) {
      throw Error(Code::kData,
                  str("logit_bias: expected ID:BIAS such as 106:-2.5, the bias "
                      "in -1e4..1e4, not '",
                      text, "'"));
    }
    if (!out.emplace(token, static_cast<float>(value)).second) {
      throw Error(Code::kData,
                  str("logit_bias: token id ", token, " stands there twice"));
    }
  }
  return out;
}

std::vector<Tokens> parse_words(const std::vector<std::string>& texts) {
  std::vector<Tokens> out;
  for (const std::string& text : texts) {
    Tokens& word = out.emplace_back();
    std::istringstream in(text);
    for (std::string id; in >> id;) {
      if (!read(id, word.emplace_back(), std::int64_t{0}, kMostId)) {
        throw Error(Code::kData,
                    str("bad_words: expected token ids such as \"818 2364\", "
                        "not '",
                        text, "'"));
      }
    }
    if (word.empty()) {
      throw Error(Code::kData, "bad_words: a word has no token ids");
    }
  }
  return out;
}

Rules::Rules(const SampleParams& params, Tokens ends, std::int64_t vocab)
    : sampling_{.temperature = params.temperature,
                .top_k = params.top_k,
                .top_p = params.top_p,
                .min_p = params.min_p,
                .typical_p = params.typical_p},
      penalties_{.repetition = params.repetition_penalty,
                 .frequency = params.frequency_penalty,
                 .presence = params.presence_penalty},
      bias_(parse_bias(params.logit_bias)),
      banned_(params.banned_ids),
      ends_(std::move(ends)),
      words_(parse_words(params.bad_words)),
      ngram_(params.no_repeat_ngram_size),
      min_new_tokens_(params.min_new_tokens) {
  // As transformers: the end of the text is no bad word.
  std::erase_if(words_, [&](const Tokens& word) {
    return word.size() == 1 &&
           std::find(ends_.begin(), ends_.end(), word[0]) != ends_.end();
  });
  if (vocab > 0) check(vocab);
}

void Rules::check(std::int64_t vocab) const {
  const auto look = [&](const char* param, const Tokens& ids) {
    for (const std::int64_t id : ids) {
      if (id < vocab) continue;
      throw Error(Code::kData, str(param, ": token id ", id,
                                   " is not in the vocabulary of ", vocab));
    }
  };
  for (const auto& [id, bias] : bias_) look("logit_bias", {id});
  for (const Tokens& word : words_) look("bad_words", word);
  look("banned_ids", banned_);
  look("stop_ids", ends_);
}

bool Rules::looks_back() const {
  return penalties_.repetition != 1 || penalties_.frequency != 0 ||
         penalties_.presence != 0;
}

Edits Rules::edits(const Tokens& tokens, std::int64_t prompt) const {
  Edits out;
  const auto ban = [&](const Tokens& ids) {
    for (const std::int64_t id : ids) out[id].is_banned = true;
  };
  const auto given = static_cast<std::size_t>(prompt);
  if (looks_back()) {
    const bool is_prompt_seen = penalties_.repetition != 1;
    for (std::size_t i = is_prompt_seen ? 0 : given; i < tokens.size(); ++i) {
      Edit& edit = out[tokens[i]];
      edit.is_seen = true;
      if (i >= given) ++edit.written;
    }
  }
  for (const auto& [id, bias] : bias_) out[id].bias = bias;
  ban(would_repeat(tokens, ngram_));
  ban(would_complete(tokens, words_));
  const auto written = static_cast<std::int64_t>(tokens.size()) - prompt;
  if (written < min_new_tokens_) ban(ends_);
  ban(banned_);
  return out;
}

}  // namespace penstock::core
