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
          "scores are divided by this before sampling; 0: always take the best "
          "token")
      .range(0, 100)
      .per_request();
  d.param("top_k", &P::top_k, "sample among the best k tokens; 0: among all")
      .range(0, 1 << 20)
      .per_request();
  d.param("top_p", &P::top_p,
          "sample among the smallest set of best tokens with this total "
          "probability")
      .range(1e-9, 1)
      .per_request();
  d.param("min_p", &P::min_p,
          "drop tokens less likely than this share of the best token's "
          "probability")
      .range(0, 1)
      .per_request();
  d.param(
       "typical_p", &P::typical_p,
       "sample among the least surprising tokens with this total probability")
      .range(1e-9, 1)
      .per_request();
}

void declare_penalties(D& d) {
  d.param("repetition_penalty", &P::repetition_penalty,
          "weaken tokens that the prompt or the answer already has; 1: off")
      .range(0.01, 100)
      .per_request();
  d.param("frequency_penalty", &P::frequency_penalty,
          "subtracted from a token's score for each time the answer has it")
      .range(-100, 100)
      .per_request();
  d.param("presence_penalty", &P::presence_penalty,
          "subtracted from a token's score if the answer has it")
      .range(-100, 100)
      .per_request();
  d.param("no_repeat_ngram_size", &P::no_repeat_ngram_size,
          "length in tokens of the n-grams that never come twice; 0: off")
      .range(0, 1 << 20)
      .per_request();
  d.param("logit_bias", &P::logit_bias,
          "ID:BIAS texts: each bias is added to the score of its token id")
      .per_request();
  d.param("banned_ids", &P::banned_ids, "token ids that are never generated")
      .range(0, 1e9)
      .per_request();
  d.param(
       "bad_words", &P::bad_words,
       "sequences of token ids that are never generated, such as \"818 2364\"")
      .per_request();
}

void declare_answer(D& d) {
  d.param("n", &P::n,
          "number of answers to each prompt, which is computed once")
      .range(1, 128)
      .per_request();
  d.param("logprobs", &P::logprobs,
          "report the log-probability of each token and of this many best "
          "ones, among those that the pipeline's rules allow; -1: off; "
          "without a rule needs every score of the vocabulary, so greedy "
          "decoding gets several times slower")
      .range(-1, 256)
      .per_request();
  d.param("prompt_logprobs", &P::prompt_logprobs,
          "report the same for the tokens of the prompt; -1: off")
      .range(-1, 256)
      .per_request();
  d.param("seed", &P::seed,
          "seed of the random numbers; the same seed gives the same text, "
          "alone or in a batch")
      .range(0, 9e15)
      .per_request();
}

void declare_end(D& d) {
  d.param("min_new_tokens", &P::min_new_tokens,
          "tokens before which the answer cannot end by itself")
      .range(0, 1 << 20)
      .per_request();
  d.param("max_new_tokens", &P::max_new_tokens, "most tokens of an answer")
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
          "ngram: guess tokens that followed the same words earlier and verify "
          "several in one step; the answer stays the same")
      .choices({"none", "ngram"})
      .per_request();
  d.param("draft_tokens", &P::draft_tokens, "most tokens of one guess")
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
      .uses(kEosIds, kContextLength, kVocabSize)
      .takes_rules()
      .light();
  declare_cuts(d);
  declare_penalties(d);
  declare_answer(d);
  declare_end(d);
  declare_speculation(d);
  d.check(conflict);
}

}  // namespace penstock::core
