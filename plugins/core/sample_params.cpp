// What core.sample declares.
#include "core/rules.h"
#include "core/sample.h"
#include "penstock/error.h"
#include "penstock/keys.h"

namespace penstock::core {
namespace {

using D = Declaration<SampleDecode>;
using P = SampleParams;

void declare_cuts(D& d) {
  d.param("temperature", &P::temperature,
          "divides the scores; 0: always the best token")
      .range(0, 100)
      .per_request();
  d.param("top_k", &P::top_k, "sample among the best k; 0: all")
      .range(0, 1 << 20)
      .per_request();
  d.param("top_p", &P::top_p,
          "sample among the smallest set with this probability")
      .range(1e-9, 1)
      .per_request();
  d.param("min_p", &P::min_p,
          "drop tokens below this share of the best one's probability")
      .range(0, 1)
      .per_request();
  d.param("typical_p", &P::typical_p,
          "sample among the least surprising tokens with this probability")
      .range(1e-9, 1)
      .per_request();
}

void declare_penalties(D& d) {
  d.param("repetition_penalty", &P::repetition_penalty,
          "weakens tokens of prompt and answer; 1: not")
      .range(0.01, 100)
      .per_request();
  d.param("frequency_penalty", &P::frequency_penalty,
          "taken off a token's score for each time it is in the answer")
      .range(-100, 100)
      .per_request();
  d.param("presence_penalty", &P::presence_penalty,
          "taken off a token's score once it is in the answer")
      .range(-100, 100)
      .per_request();
  d.param("no_repeat_ngram_size", &P::no_repeat_ngram_size,
          "so many tokens in a row never come twice; 0: they may")
      .range(0, 1 << 20)
      .per_request();
  d.param("logit_bias", &P::logit_bias,
          "ID:BIAS texts, added to the scores of these tokens")
      .per_request();
  d.param("banned_ids", &P::banned_ids, "token ids that are never written")
      .range(0, 1e9)
      .per_request();
  d.param("bad_words", &P::bad_words,
          "token sequences that are never written, as \"818 2364\"")
      .per_request();
}

void declare_answer(D& d) {
  d.param("n", &P::n, "answers to each prompt, which is read once")
      .range(1, 128)
      .per_request();
  d.param(
       "logprobs", &P::logprobs,
       "give the log-probability of each token and of so many best; -1: no; "
       "their sum needs every score of the vocabulary, which greedy decoding "
       "alone does not: it takes several times as long")
      .range(-1, 256)
      .per_request();
  d.param("prompt_logprobs", &P::prompt_logprobs,
          "the same for the tokens of the prompt")
      .range(-1, 256)
      .per_request();
  d.param("seed", &P::seed,
          "of the random numbers; the same seed gives "
          "the same text, alone or in a batch")
      .range(0, 9e15)
      .per_request();
}

void declare_end(D& d) {
  d.param("min_new_tokens", &P::min_new_tokens,
          "tokens before which the answer does not end by itself")
      .range(0, 1 << 20)
      .per_request();
  d.param("max_new_tokens", &P::max_new_tokens,
          "tokens after which the answer ends")
      .range(1, 1 << 20)
      .per_request();
  d.param("stop_ids", &P::stop_ids,
          "token ids that end the answer, besides the model's own")
      .range(0, 1e9)
      .per_request();
  d.param("ignore_eos", &P::ignore_eos, "go on after the model's own end token")
      .per_request();
}

void declare_speculation(D& d) {
  d.param("speculate", &P::speculate,
          "ngram: guess tokens from what the text said before and check "
          "several in one step; the answer stays the same")
      .choices({"none", "ngram"})
      .per_request();
  d.param("draft_tokens", &P::draft_tokens, "tokens of a guess, at most")
      .range(1, 64)
      .per_request();
}

}  // namespace

std::string conflict(const SampleParams& params) {
  try {
    (void)parse_bias(params.logit_bias);
    (void)parse_words(params.bad_words);
  } catch (const Error& error) {
    return error.text();
  }
  if (params.min_new_tokens > params.max_new_tokens) {
    return str("min_new_tokens is ", params.min_new_tokens,
               ", more than max_new_tokens, ", params.max_new_tokens);
  }
  if (params.n > 1 && params.temperature == 0) {
    return str("n is ", params.n,
               ", but temperature 0 gives the same answer each time; set a "
               "temperature");
  }
  return "";
}

void SampleDecode::declare(D& d) {
  d.doc(
       "Picks the next token: greedy, or by temperature, top_k, top_p, min_p, "
       "typical_p; with penalties, bans, biases and log-probabilities")
      .input("scores: f32[R,V]")
      .output("tokens: i64[N]")
      .uses(kEosIds, kContextLength, kVocabSize);
  declare_cuts(d);
  declare_penalties(d);
  declare_answer(d);
  declare_end(d);
  declare_speculation(d);
  d.check(conflict);
}

}  // namespace penstock::core
