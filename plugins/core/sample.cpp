#include "core/sample.h"

#include <algorithm>
#include <optional>

#include "core/logprobs.h"
#include "core/lookup.h"
#include "penstock/keys.h"
#include "penstock/random.h"

namespace penstock::core {
namespace {

/// With more of the best wanted, every score costs less.
constexpr std::int64_t kMostTop = 1024;

Scores to_host(const Scores& scores) {
  const auto move = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.cpu().contiguous() : tensor;
  };
  return {.ids = move(scores.ids),
          .values = move(scores.values),
          .full = move(scores.full),
          .at = move(scores.at),
          .norm = move(scores.norm),
          .follow = move(scores.follow),
          .hidden = {}};
}

float value_at(const at::Tensor& values, std::int64_t row) {
  return values.const_data_ptr<float>()[row];
}

/// Whether some of the model's best hold the best `need`, ties at the end
/// included.
bool is_enough(const Candidates& candidates, std::int64_t need) {
  const auto& all = candidates.all;
  if (all.size() == 1) return true;
  const auto last = std::min(static_cast<std::size_t>(need), all.size()) - 1;
  std::vector<Candidate> sorted(last + 1);
  std::partial_sort_copy(all.begin(), all.end(), sorted.begin(), sorted.end(),
                         is_better);
  return sorted[last].score > candidates.floor;
}

}  // namespace

struct SampleDecode::State final : DecodeState {
  State(Rules made, const Params& params)
      : rules(std::move(made)),
        lookups(params.speculate == "ngram" ? static_cast<std::size_t>(params.n)
                                            : 0,
                Lookup(params.draft_tokens)) {}
  Rules rules;
  std::vector<Lookup> lookups;  ///< by branch; empty: no guesses
};

struct SampleDecode::View {
  std::size_t index = 0;
  const Slice& slice;
  const Scores& scores;
  State& state;
  const Params& params;

  [[nodiscard]] const Sequence& sequence() const { return *slice.sequence; }
  [[nodiscard]] const Rules& rules() const { return state.rules; }
  [[nodiscard]] std::int64_t prompt() const {
    return static_cast<std::int64_t>(sequence().item->tokens.size());
  }
  /// What may follow `tokens`, the sequence's and `ahead` more of its draft.
  /// Nothing where others may equal the last of the best.
  [[nodiscard]] std::optional<Candidates> candidates(
      std::int64_t ahead, const Tokens& tokens) const;
  [[nodiscard]] Next next() const {
    Next out;
    out.slice = index;
    return out;
  }
};

std::optional<Candidates> SampleDecode::View::candidates(
    std::int64_t ahead, const Tokens& tokens) const {
  const Want& want = sequence().want;
  Candidates from = candidates_of(scores, slice.out + ahead, want);
  apply(from.all, rules().edits(tokens, prompt()), rules().penalties());
  if (!want.full && !is_enough(from, needed(rules().sampling()))) return {};
  return from;
}

void SampleDecode::open(StageContext& context) {
  eos_ids_ = get_or(context.facts, kEosIds, {});
  context_length_ = get_or(context.facts, kContextLength, context_length_);
  vocab_ = get_or(context.facts, kVocabSize, vocab_);
}

const SampleDecode::Params& SampleDecode::params_of(
    const Sequence& sequence) const {
  return params<Params>(*this, *sequence.item->request);
}

void SampleDecode::start(Sequence& sequence) {
  const Params& chosen = params_of(sequence);
  Tokens ends = chosen.stop_ids;
  if (!chosen.ignore_eos) {
    ends.insert(ends.end(), eos_ids_.begin(), eos_ids_.end());
  }
  auto state =
      std::make_unique<State>(Rules(chosen, std::move(ends), vocab_), chosen);
  const Rules& rules = state->rules;
  sequence.item->state = std::move(state);
  sequence.item->width = static_cast<int>(chosen.n);
  if (chosen.prompt_logprobs >= 0) {
    // The prompt first, with no more than it needs; then the answer.
    sequence.want = Want();
    sequence.want.from = 0;
    sequence.want.top =
        std::clamp<std::int64_t>(chosen.prompt_logprobs, 1, size());
    sequence.want.norm = sequence.want.follow = true;
    return;
  }
  const auto prompt = static_cast<std::int64_t>(sequence.item->tokens.size());
  sequence.want = want_for(rules, chosen, rules.edits(sequence.tokens, prompt));
}

Want SampleDecode::want_for(const Rules& rules, const Params& params,
                            const Edits& edits) const {
  Want want;
  want.norm = params.logprobs >= 0;
  const std::int64_t need = needed(rules.sampling());
  // As many as are needed remain when all edited ones fall behind, and one
  // that shows whether others equal the last.
  const auto edited = static_cast<std::int64_t>(edits.size());
  const bool is_greedy = need == 1 && edited == 0;
  want.top = std::max(is_greedy ? 1 : need + 1 + edited, params.logprobs);
  want.full = need == 0 || want.top > std::min(kMostTop, size());
  if (want.full) {
    want.top = 0;
    return want;
  }
  for (const auto& [id, edit] : edits) want.ids.push_back(id);
  return want;
}

Finish SampleDecode::finish(const View& view, const Tokens& tokens) const {
  const Tokens& ends = view.rules().ends();
  if (std::find(ends.begin(), ends.end(), tokens.back()) != ends.end()) {
    return Finish::kStopId;
  }
  const auto length = static_cast<std::int64_t>(tokens.size());
  const bool is_long = length - view.prompt() >= view.params.max_new_tokens;
  const bool is_full = length >= context_length_;
  return is_long || is_full ? Finish::kLength : Finish::kNo;
}

void SampleDecode::prompt_logprobs(const View& view,
                                   std::vector<Next>& out) const {
  const Sequence& sequence = view.sequence();
  const std::int64_t length = sequence.length();
  Logprobs logprobs(view.params.prompt_logprobs);
  for (std::int64_t i = 0; i < view.slice.outs; ++i) {
    const std::int64_t at = view.slice.out + i;
    const std::int64_t next =
        view.slice.begin + view.slice.count - view.slice.outs + i + 1;
    if (next == length) continue;
    const Candidates best = candidates_of(view.scores, at, sequence.want);
    logprobs.add(sequence.token(next), value_at(view.scores.follow, at),
                 best.all, value_at(view.scores.norm, at));
  }
  Next next = view.next();
  if (!logprobs.empty()) {
    logprobs.put("prompt_logprobs", next.emit.emplace_back().tensors);
  }
  const bool is_whole = view.slice.begin + view.slice.count == length;
  if (is_whole) {
    next.want = want_for(view.rules(), view.params,
                         view.rules().edits(sequence.tokens, length));
  }
  out.push_back(std::move(next));
}

Next SampleDecode::sample_tokens(const View& view, const Candidates& first,
                                 int branch) const {
  const Sequence& sequence = view.sequence();
  Next next = view.next();
  next.branch = branch;
  Tokens tokens = sequence.tokens;
  std::optional<Candidates> more;
  // One token, and one more for each that the draft foresaw.
  for (std::int64_t ahead = 0;; ++ahead) {
    const Candidates& from = more ? *more : first;
    const auto position =
        static_cast<std::int64_t>(tokens.size()) - view.prompt();
    const double random = uniform(static_cast<std::uint64_t>(view.params.seed),
                                  static_cast<std::uint64_t>(branch),
                                  static_cast<std::uint64_t>(position));
    const Candidate token = draw(from.all, view.rules().sampling(), random);
    tokens.push_back(token.id);
    next.tokens.push_back(token.id);
    next.emit.emplace_back().tokens = {token.id};
    if (view.params.logprobs >= 0) {
      Logprobs logprobs(view.params.logprobs);
      logprobs.add(token.id, token.raw, from.all,
                   value_at(view.scores.norm, view.slice.out + ahead));
      logprobs.put("logprobs", next.emit.back().tensors);
    }
    next.finish = finish(view, tokens);
    if (next.finish != Finish::kNo) return next;
    const bool was_foreseen =
        ahead + 1 < view.slice.outs &&
        sequence.draft[static_cast<std::size_t>(ahead)] == token.id;
    if (!was_foreseen) break;
    more = view.candidates(ahead + 1, tokens);
    if (!more) break;  // the next step looks at all of them
  }
  go_on(view, std::move(tokens), next);
  return next;
}

void SampleDecode::go_on(const View& view, Tokens tokens, Next& next) const {
  const std::int64_t prompt = view.prompt();
  Edits edits = view.rules().edits(tokens, prompt);
  if (!view.state.lookups.empty()) {
    Lookup& lookup =
        view.state.lookups.at(static_cast<std::size_t>(next.branch));
    const auto guessed = view.slice.outs - 1;
    const auto came_true = static_cast<std::int64_t>(next.tokens.size()) - 1;
    if (guessed > 0) lookup.learn(guessed, came_true);
    const auto length = static_cast<std::int64_t>(tokens.size());
    const std::int64_t room =
        std::min(view.params.max_new_tokens - (length - prompt),
                 context_length_ - length) -
        1;
    next.draft = lookup.guess(tokens, room);
    // Each token of the guess may be edited in its own way.
    for (const std::int64_t id : next.draft) {
      tokens.push_back(id);
      edits.merge(view.rules().edits(tokens, prompt));
    }
  }
  next.want = want_for(view.rules(), view.params, edits);
}

void SampleDecode::answer(const View& view, std::vector<Next>& out) const {
  const Sequence& sequence = view.sequence();
  if (sequence.want.from == 0) {
    prompt_logprobs(view, out);
    return;
  }
  const std::optional<Candidates> from = view.candidates(0, sequence.tokens);
  if (!from) {
    Next again = view.next();
    again.want.emplace().full = true;
    again.want->norm = view.params.logprobs >= 0;
    out.push_back(std::move(again));
    return;
  }
  // The prompt's answers part at their first token.
  const bool is_fork = sequence.generated() == 0;
  const auto end =
      is_fork ? static_cast<int>(view.params.n) : sequence.branch + 1;
  for (int branch = is_fork ? 0 : sequence.branch; branch < end; ++branch) {
    out.push_back(sample_tokens(view, *from, branch));
  }
}

void SampleDecode::decode(const Step& step, const Result& picked,
                          std::vector<Next>& out) {
  const Scores scores = to_host(picked.scores);
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    const auto before = out.size();
    try {
      answer({.index = i,
              .slice = slice,
              .scores = scores,
              .state = dynamic_cast<State&>(*slice.sequence->item->state),
              .params = params_of(*slice.sequence)},
             out);
    } catch (const Error& error) {
      out.resize(before);
      Next& next = out.emplace_back();
      next.slice = i;
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::core
