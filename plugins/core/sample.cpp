#include "core/sample.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "core/logprobs.h"
#include "core/sample_state.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

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
  if (all.size() == 1 || std::isinf(candidates.floor)) return true;
  const auto last = std::min(static_cast<std::size_t>(need), all.size()) - 1;
  std::vector<Candidate> sorted(last + 1);
  std::partial_sort_copy(all.begin(), all.end(), sorted.begin(), sorted.end(),
                         is_better);
  return sorted[last].score > candidates.floor;
}

}  // namespace

SampleDecode::State::State(Rules made, const Params& params, const Item& item)
    : rules(std::move(made)) {
  for (std::int64_t i = 0; i < params.n; ++i) {
    branches.push_back({.rules = AnswerRules(item), .lookup = {}});
    if (params.speculate == "ngram") {
      branches.back().lookup.emplace(params.draft_tokens);
    }
  }
  Branch& first = branches.front();
  if (first.rules.are_none()) return;
  first.rulings = {first.rules.look({})};
  const auto& allowed = first.rulings[0].allowed;
  if (!allowed || !allowed->is_empty()) return;
  throw Error(Code::kData, "the pipeline's rules allow no token to begin with");
}

Edits SampleDecode::View::edits(const Tokens& tokens,
                                const Ruling& ruling) const {
  Edits out = rules().edits(tokens, prompt());
  for (const auto& [id, bias] : ruling.biases) out[id].bias += bias;
  return out;
}

std::optional<Candidates> SampleDecode::View::candidates(
    std::int64_t ahead, const Tokens& tokens) const {
  const Want& want = sequence().want;
  const auto& rulings = own().rulings;
  const auto place = static_cast<std::size_t>(ahead);
  const Ruling none;
  const Ruling& ruling = place < rulings.size() ? rulings[place] : none;
  Candidates from =
      candidates_of(scores, slice.out + ahead, want, ruling.allowed.get());
  apply(from.all, edits(tokens, ruling), rules().penalties());
  if (!want.full && !is_enough(from, needed(rules().sampling()))) return {};
  return from;
}

std::int64_t SampleDecode::View::foreseen(const Tokens& more) const {
  const Tokens& draft = sequence().draft;
  const auto differs =
      std::mismatch(more.begin(), more.end(), draft.begin(), draft.end());
  return differs.first - more.begin();
}

SampleDecode::SampleDecode(const Params& params) {
  const bool has_cut = params.temperature == 0 || params.top_k > 0;
  const bool needs_all = !has_cut || params.logprobs >= 0;
  best_scores_ = needs_all ? -1 : std::max<std::int64_t>(1, params.top_k);
}

Footprint SampleDecode::memory(const StageContext& /*context*/) const {
  return {.best_scores = best_scores_};
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
  auto state = std::make_unique<State>(Rules(chosen, std::move(ends), vocab_),
                                       chosen, *sequence.item);
  const Rules& rules = state->rules;
  const auto& rulings = state->branches.front().rulings;
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
  Edits edits = rules.edits(sequence.tokens, prompt);
  if (!rulings.empty()) {
    for (const auto& [id, bias] : rulings[0].biases) edits[id].bias += bias;
  }
  sequence.want = want_for(rules, chosen, edits, rulings);
  if (chosen.n == 1 && chosen.speculate == "none" && rulings.empty()) {
    sequence.want.draw = hint(rules, chosen, sequence.want, edits,
                              {.room = room(chosen, prompt, prompt)});
  }
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
    const Candidates best =
        candidates_of(view.scores, at, sequence.want, nullptr);
    logprobs.add(sequence.token(next), value_at(view.scores.follow, at),
                 best.all, value_at(view.scores.norm, at));
  }
  Next next = view.next();
  if (!logprobs.empty()) {
    logprobs.put(tensors::kPromptLogprobIds, tensors::kPromptLogprobValues,
                 next.emit.emplace_back().tensors);
  }
  const bool is_whole = view.slice.begin + view.slice.count == length;
  if (is_whole) {
    const auto& rulings = view.own().rulings;
    next.want = want_for(
        view.rules(), view.params,
        view.edits(sequence.tokens, rulings.empty() ? Ruling() : rulings[0]),
        rulings);
  }
  out.push_back(std::move(next));
}

void SampleDecode::add(const View& view, const Candidate& token,
                       const Candidates& others, float norm, Tokens& tokens,
                       Next& next) const {
  tokens.push_back(token.id);
  next.tokens.push_back(token.id);
  next.emit.emplace_back().tokens = {token.id};
  if (view.params.logprobs >= 0) {
    Logprobs logprobs(view.params.logprobs);
    logprobs.add(token.id, token.raw, others.all, norm);
    logprobs.put(tensors::kLogprobIds, tensors::kLogprobValues,
                 next.emit.back().tensors);
  }
  next.finish = finish(view, tokens);
}

void SampleDecode::add_forced(const View& view, Branch& branch, Tokens& tokens,
                              Next& next) const {
  while (next.finish == Finish::kNo && !branch.rules.are_none()) {
    const Ruling ruling = branch.rules.look(view.answer(tokens));
    if (!ruling.allowed || ruling.allowed->size() > 1) return;
    if (ruling.allowed->is_empty()) {
      next.finish = Finish::kStop;
      return;
    }
    const Candidate only{.id = ruling.allowed->last()};
    const Edits edits = view.edits(tokens, ruling);
    const auto edit = edits.find(only.id);
    // The sampler says what is wrong where nothing is left.
    if (edit != edits.end() && edit->second.is_banned) return;
    add(view, only, {.all = {only}, .floor = 0}, 0, tokens, next);
  }
}

Next SampleDecode::sample_tokens(const View& view, const Candidates& first,
                                 int branch) const {
  Next next = view.next();
  next.branch = branch;
  Branch& own = view.state.branches.at(static_cast<std::size_t>(branch));
  Tokens tokens = view.sequence().tokens;
  std::optional<Candidates> more;
  // One token, and one more for each that the draft foresaw.
  for (std::int64_t ahead = 0;;) {
    const Candidates& from = more ? *more : first;
    const auto position =
        static_cast<std::int64_t>(tokens.size()) - view.prompt();
    const Candidate token = draw(from.all, view.rules().sampling(),
                                 random_of(view.params, branch, position));
    const float norm = view.params.logprobs < 0
                           ? 0
                           : value_at(view.scores.norm, view.slice.out + ahead);
    add(view, token, from, norm, tokens, next);
    add_forced(view, own, tokens, next);
    if (next.finish != Finish::kNo) return next;
    ahead = std::ssize(next.tokens);
    const bool was_foreseen =
        ahead < view.slice.outs && view.foreseen(next.tokens) == ahead;
    if (!was_foreseen) break;
    more = view.candidates(ahead, tokens);
    if (!more) break;  // the next step looks at all of them
  }
  go_on(view, std::move(tokens), next);
  return next;
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
    again.want->allowed = sequence.want.allowed;
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

void SampleDecode::decode_slice(const Step& step, const Scores& scores,
                                std::size_t at, std::vector<Next>& out) const {
  const Slice& slice = step.slices[at];
  if (slice.outs == 0) return;
  try {
    answer({.index = at,
            .slice = slice,
            .scores = scores,
            .state = dynamic_cast<State&>(*slice.sequence->item->state),
            .params = params_of(*slice.sequence)},
           out);
  } catch (const Error& error) {
    out.clear();
    Next& next = out.emplace_back();
    next.slice = at;
    next.error = std::current_exception();
  }
}

/// Several answers under rules, which take some 30 microseconds each: masks,
/// and text that is cut into tokens. Those of one item share its state.
bool SampleDecode::is_for_a_team(const Step& step) {
  const auto held = std::count_if(
      step.slices.begin(), step.slices.end(), [](const Slice& slice) {
        const auto& rules = slice.sequence->item->rules;
        return std::any_of(rules.begin(), rules.end(),
                           [](const auto& rule) { return rule != nullptr; });
      });
  return held > 2 && std::all_of(step.slices.begin(), step.slices.end(),
                                 [](const Slice& slice) {
                                   return slice.sequence->item->width == 1;
                                 });
}

void SampleDecode::decode(const Step& step, const Result& picked,
                          std::vector<Next>& out) {
  const Scores scores = to_host(picked.scores);
  const auto count = std::ssize(step.slices);
  std::vector<std::vector<Next>> made(step.slices.size());
  const auto some = [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); std::cmp_less(i, end); ++i) {
      decode_slice(step, scores, i, made[i]);
    }
  };
  if (is_for_a_team(step)) {
    parallel_for_now(count, 1, [&](std::int64_t begin, std::int64_t end) {
      const SerialOps serial;
      some(begin, end);
    });
  } else {
    some(0, count);
  }
  for (auto& each : made) {
    std::move(each.begin(), each.end(), std::back_inserter(out));
  }
}

}  // namespace penstock::core
