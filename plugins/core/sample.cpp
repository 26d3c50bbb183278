#include "sample.h"

#include <algorithm>
#include <optional>

#include "logprobs.h"
#include "lookup.h"
#include "random.h"

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

template <class T>
const T* fact(const Notes& facts, const char* name) {
  const auto found = facts.find(name);
  return found == facts.end() ? nullptr : &std::get<T>(found->second);
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

struct SampleDecode::Answered {
  std::size_t index = 0;
  const Slice& slice;
  const Scores& scores;
  State& state;
  const Params& params;

  [[nodiscard]] const Row& row() const { return *slice.row; }
  [[nodiscard]] const Rules& rules() const { return state.rules; }
  [[nodiscard]] std::int64_t prompt() const {
    return static_cast<std::int64_t>(row().sample->tokens.size());
  }
  /// What may follow `tokens`, the row's and `ahead` more of its draft. Nothing
  /// where others may equal the last of the best.
  [[nodiscard]] std::optional<Candidates> candidates(
      std::int64_t ahead, const Tokens& tokens) const;
  [[nodiscard]] Next next() const {
    Next out;
    out.slice = index;
    return out;
  }
};

std::optional<Candidates> SampleDecode::Answered::candidates(
    std::int64_t ahead, const Tokens& tokens) const {
  const Want& want = row().want;
  Candidates from = candidates_of(scores, slice.out + ahead, want);
  apply(from.all, rules().edits(tokens, prompt()), rules().penalties());
  if (!want.full && !is_enough(from, needed(rules().sampling()))) return {};
  return from;
}

void SampleDecode::open(StageContext& context) {
  if (const auto* ids = fact<Tokens>(context.facts, "eos_ids")) eos_ids_ = *ids;
  if (const auto* limit = fact<std::int64_t>(context.facts, "context_length")) {
    context_length_ = *limit;
  }
  if (const auto* size = fact<std::int64_t>(context.facts, "vocab_size")) {
    vocab_ = *size;
  }
}

const SampleDecode::Params& SampleDecode::params_of(const Row& row) const {
  return params<Params>(*this, *row.sample->request);
}

void SampleDecode::start(Row& row) {
  const Params& chosen = params_of(row);
  Tokens ends = chosen.stop_ids;
  if (!chosen.ignore_eos) {
    ends.insert(ends.end(), eos_ids_.begin(), eos_ids_.end());
  }
  auto state =
      std::make_unique<State>(Rules(chosen, std::move(ends), vocab_), chosen);
  const Rules& rules = state->rules;
  row.sample->state = std::move(state);
  row.sample->width = static_cast<int>(chosen.n);
  if (chosen.prompt_logprobs >= 0) {
    // The prompt first, with no more than it needs; then the answer.
    row.want = Want();
    row.want.from = 0;
    row.want.top = std::clamp<std::int64_t>(chosen.prompt_logprobs, 1, size());
    row.want.norm = row.want.follow = true;
    return;
  }
  const auto prompt = static_cast<std::int64_t>(row.sample->tokens.size());
  row.want = want_for(rules, chosen, rules.edits(row.tokens, prompt));
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

Finish SampleDecode::finish(const Answered& slice, const Tokens& tokens) const {
  const Tokens& ends = slice.rules().ends();
  if (std::find(ends.begin(), ends.end(), tokens.back()) != ends.end()) {
    return Finish::kStop;
  }
  const auto length = static_cast<std::int64_t>(tokens.size());
  const bool is_long = length - slice.prompt() >= slice.params.max_new_tokens;
  const bool is_full = length >= context_length_;
  return is_long || is_full ? Finish::kLength : Finish::kNo;
}

void SampleDecode::read_prompt(const Answered& slice,
                               std::vector<Next>& out) const {
  const Row& row = slice.row();
  const std::int64_t length = row.length();
  Logprobs logprobs(slice.params.prompt_logprobs);
  for (std::int64_t i = 0; i < slice.slice.outs; ++i) {
    const std::int64_t at = slice.slice.out + i;
    const std::int64_t next =
        slice.slice.begin + slice.slice.count - slice.slice.outs + i + 1;
    if (next == length) continue;
    const Candidates best = candidates_of(slice.scores, at, row.want);
    logprobs.add(row.token(next), value_at(slice.scores.follow, at), best.all,
                 value_at(slice.scores.norm, at));
  }
  Next next = slice.next();
  if (!logprobs.empty()) {
    logprobs.put("prompt_logprobs", next.emit.emplace_back().tensors);
  }
  const bool is_whole = slice.slice.begin + slice.slice.count == length;
  if (is_whole) {
    next.want = want_for(slice.rules(), slice.params,
                         slice.rules().edits(row.tokens, length));
  }
  out.push_back(std::move(next));
}

Next SampleDecode::chosen(const Answered& slice, const Candidates& first,
                          int branch) const {
  const Row& row = slice.row();
  Next next = slice.next();
  next.branch = branch;
  Tokens tokens = row.tokens;
  std::optional<Candidates> more;
  // One token, and one more for each that the draft foresaw.
  for (std::int64_t ahead = 0;; ++ahead) {
    const Candidates& from = more ? *more : first;
    const auto position =
        static_cast<std::int64_t>(tokens.size()) - slice.prompt();
    const double random = uniform(static_cast<std::uint64_t>(slice.params.seed),
                                  static_cast<std::uint64_t>(branch),
                                  static_cast<std::uint64_t>(position));
    const Candidate token = draw(from.all, slice.rules().sampling(), random);
    tokens.push_back(token.id);
    next.tokens.push_back(token.id);
    next.emit.emplace_back().tokens = {token.id};
    if (slice.params.logprobs >= 0) {
      Logprobs logprobs(slice.params.logprobs);
      logprobs.add(token.id, token.raw, from.all,
                   value_at(slice.scores.norm, slice.slice.out + ahead));
      logprobs.put("logprobs", next.emit.back().tensors);
    }
    next.finish = finish(slice, tokens);
    if (next.finish != Finish::kNo) return next;
    const bool was_foreseen =
        ahead + 1 < slice.slice.outs &&
        row.draft[static_cast<std::size_t>(ahead)] == token.id;
    if (!was_foreseen) break;
    more = slice.candidates(ahead + 1, tokens);
    if (!more) break;  // the next step looks at all of them
  }
  go_on(slice, std::move(tokens), next);
  return next;
}

void SampleDecode::go_on(const Answered& slice, Tokens tokens,
                         Next& next) const {
  const std::int64_t prompt = slice.prompt();
  Edits edits = slice.rules().edits(tokens, prompt);
  if (!slice.state.lookups.empty()) {
    Lookup& lookup =
        slice.state.lookups.at(static_cast<std::size_t>(next.branch));
    const auto guessed = slice.slice.outs - 1;
    const auto came_true = static_cast<std::int64_t>(next.tokens.size()) - 1;
    if (guessed > 0) lookup.learn(guessed, came_true);
    const auto length = static_cast<std::int64_t>(tokens.size());
    const std::int64_t room =
        std::min(slice.params.max_new_tokens - (length - prompt),
                 context_length_ - length) -
        1;
    next.draft = lookup.guess(tokens, room);
    // Each token of the guess may be edited in its own way.
    for (const std::int64_t id : next.draft) {
      tokens.push_back(id);
      edits.merge(slice.rules().edits(tokens, prompt));
    }
  }
  next.want = want_for(slice.rules(), slice.params, edits);
}

void SampleDecode::answer(const Answered& slice, std::vector<Next>& out) const {
  const Row& row = slice.row();
  if (row.want.from == 0) {
    read_prompt(slice, out);
    return;
  }
  const std::optional<Candidates> from = slice.candidates(0, row.tokens);
  if (!from) {
    Next again = slice.next();
    again.want.emplace().full = true;
    again.want->norm = slice.params.logprobs >= 0;
    out.push_back(std::move(again));
    return;
  }
  // The prompt's answers part at their first token.
  const bool is_fork = row.generated() == 0;
  const auto end = is_fork ? static_cast<int>(slice.params.n) : row.branch + 1;
  for (int branch = is_fork ? 0 : row.branch; branch < end; ++branch) {
    out.push_back(chosen(slice, *from, branch));
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
              .state = dynamic_cast<State&>(*slice.row->sample->state),
              .params = params_of(*slice.row)},
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
