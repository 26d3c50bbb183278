// core.sample: picks each sequence's next token and says when the sequence is
// finished.
#pragma once

#include <memory>

#include "core/candidate.h"
#include "core/rules.h"
#include "core/sample_params.h"
#include "penstock/decode.h"
#include "penstock/draw.h"
#include "penstock/rule.h"

namespace penstock::core {

/// Input: scores f32[R,V]. Output: tokens i64[N], one at a time; with
/// `logprobs` also logprobs.ids i64[1, 1+n] and logprobs.values, its own and
/// the best n; with `prompt_logprobs` the same of the prompt, as
/// prompt_logprobs.*: row i is about the token after the one it was computed
/// from. What the pipeline's rules do not allow is never picked; a token that
/// they leave alone is taken without a step, and log-probabilities are those
/// among the allowed.
class SampleDecode final : public Decode {
 public:
  using Params = SampleParams;
  static void declare(Declaration<SampleDecode>& d);
  explicit SampleDecode(const Params& params);

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  struct Branch;
  struct State;
  /// A slice's share of a step's scores, on the host.
  struct View;
  /// Where a token will stand: its branch, and the answer's tokens before it.
  struct DrawPlace {
    std::int64_t branch = 0, position = 0;
    std::int64_t room = 0;  ///< tokens that may follow it
  };

  [[nodiscard]] const Params& params_of(const Sequence& sequence) const;
  /// Of the vocabulary, where the model says it.
  [[nodiscard]] std::int64_t size() const { return vocab_ > 0 ? vocab_ : kAll; }
  [[nodiscard]] Want want_for(const Rules& rules, const Params& params,
                              const Edits& edits,
                              const std::vector<Ruling>& rulings) const;
  /// What follows slice `at`; its error where it has one.
  void decode_slice(const Step& step, const Scores& scores, std::size_t at,
                    std::vector<Next>& out) const;
  [[nodiscard]] static bool is_for_a_team(const Step& step);
  void answer(const View& view, std::vector<Next>& out) const;
  void prompt_logprobs(const View& view, std::vector<Next>& out) const;
  [[nodiscard]] Next sample_tokens(const View& view, const Candidates& first,
                                   int branch) const;
  /// Appends a token; `others` may have come instead.
  void add(const View& view, const Candidate& token, const Candidates& others,
           float norm, Tokens& tokens, Next& next) const;
  /// Appends what the rules leave no choice about, and ends with them.
  void add_forced(const View& view, Branch& branch, Tokens& tokens,
                  Next& next) const;
  /// How many tokens may follow the next one, after `length` with the prompt's.
  [[nodiscard]] std::int64_t room(const Params& params, std::int64_t prompt,
                                  std::int64_t length) const;
  /// How the next token will be chosen, for a Forward that runs ahead; null
  /// where it hangs on more than a hint can say.
  [[nodiscard]] std::shared_ptr<const Draw> hint(const Rules& rules,
                                                 const Params& params,
                                                 const Want& want,
                                                 const Edits& edits,
                                                 const DrawPlace& place) const;
  /// What the sequence's next step guesses and wants.
  void go_on(const View& view, Tokens tokens, Next& next) const;
  /// Of the draft what the rules allow, and what they say of each token of it.
  void look_ahead(const View& view, Branch& branch, Tokens& tokens,
                  Tokens& draft, Edits& edits) const;
  /// Of a sequence whose last token is `tokens.back()`.
  [[nodiscard]] Finish finish(const View& view, const Tokens& tokens) const;

  std::int64_t best_scores_;  ///< of a token, for requests that say nothing
  Tokens eos_ids_;            ///< the model's own
  std::int64_t context_length_ = kAll;
  std::int64_t vocab_ = 0;  ///< 0: not known
};

}  // namespace penstock::core
