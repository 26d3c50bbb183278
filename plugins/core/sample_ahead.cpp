// How core.sample prepares a sequence's next step.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/sample_state.h"

namespace penstock::core {
namespace {

/// With more of the best wanted, every score costs less.
constexpr std::int64_t kMostTop = 1024;
/// Of what rules foresee: each token makes the step wider, and a wrong one
/// makes those behind it useless.
constexpr std::int64_t kMostForeseen = 16;

Draw::Edit hint_of(std::int64_t id, const Edit& edit,
                   const Penalties& penalties) {
  // As edited() has it.
  Draw::Edit out{.id = id, .bias = edit.bias};
  if (edit.is_banned) out.bias = -std::numeric_limits<float>::infinity();
  if (edit.is_seen) out.repetition = static_cast<float>(penalties.repetition);
  if (edit.written > 0) {
    out.minus = static_cast<float>(penalties.frequency *
                                       static_cast<double>(edit.written) +
                                   penalties.presence);
  }
  return out;
}

/// The most tokens that may come at one place; kAll: any.
std::int64_t most_allowed(const std::vector<Ruling>& rulings) {
  if (rulings.empty()) return kAll;
  std::int64_t most = 0;
  for (const Ruling& ruling : rulings) {
    most = std::max(most, ruling.allowed ? ruling.allowed->size() : kAll);
  }
  return most;
}

}  // namespace

Want SampleDecode::want_for(const Rules& rules, const Params& params,
                            const Edits& edits,
                            const std::vector<Ruling>& rulings) const {
  Want want;
  want.norm = params.logprobs >= 0;
  for (const Ruling& ruling : rulings) want.allowed.push_back(ruling.allowed);
  const std::int64_t need = needed(rules.sampling());
  // As many as are needed remain when all edited ones fall behind, and one
  // that shows whether others equal the last.
  const auto edited = static_cast<std::int64_t>(edits.size());
  const bool is_greedy = need == 1 && edited == 0;
  want.top = std::max(is_greedy ? 1 : need + 1 + edited, params.logprobs);
  const std::int64_t most = most_allowed(rulings);
  if (most <= kMostTop && (need == 0 || want.top >= most)) {
    want.top = most;  // all of them, which says what any others would
    return want;
  }
  want.full = need == 0 || want.top > std::min(kMostTop, size());
  if (want.full) {
    want.top = 0;
    return want;
  }
  for (const auto& [id, edit] : edits) want.ids.push_back(id);
  return want;
}

void SampleDecode::look_ahead(const View& view, Branch& branch, Tokens& tokens,
                              Tokens& draft, Edits& edits) const {
  branch.rulings = {branch.rules.look(view.answer(tokens))};
  edits = view.edits(tokens, branch.rulings.back());
  std::size_t kept = 0;
  for (; kept < draft.size(); ++kept) {
    const auto& allowed = branch.rulings.back().allowed;
    if (allowed && !allowed->contains(draft[kept])) break;
    tokens.push_back(draft[kept]);
    Ruling then = branch.rules.look(view.answer(tokens));
    // Where it would end the answer, no step need look behind it.
    if (then.allowed && then.allowed->is_empty()) break;
    // Each token of the guess may be edited in its own way.
    edits.merge(view.edits(tokens, then));
    branch.rulings.push_back(std::move(then));
  }
  draft.resize(kept);
  if (branch.rules.are_none()) branch.rulings.clear();
}

std::int64_t SampleDecode::room(const Params& params, std::int64_t prompt,
                                std::int64_t length) const {
  return std::min(params.max_new_tokens - (length - prompt),
                  context_length_ - length) -
         1;
}

std::shared_ptr<const Draw> SampleDecode::hint(const Rules& rules,
                                               const Params& params,
                                               const Want& want,
                                               const Edits& edits,
                                               const DrawPlace& place) const {
  const Sampling& sampling = rules.sampling();
  if (want.full || sampling.typical_p < 1) return nullptr;
  auto draw = std::make_shared<Draw>();
  draw->temperature = sampling.temperature;
  draw->top_k = sampling.top_k;
  draw->top_p = sampling.top_p;
  draw->min_p = sampling.min_p;
  draw->random = random_of(params, place.branch, place.position);
  for (const auto& [id, edit] : edits) {
    draw->edits.push_back(hint_of(id, edit, rules.penalties()));
  }
  draw->will_ask_drawn = rules.looks_back();
  draw->is_last = place.room <= 0;
  return draw;
}

void SampleDecode::go_on(const View& view, Tokens tokens, Next& next) const {
  Branch& own = view.state.branches.at(static_cast<std::size_t>(next.branch));
  const auto length = static_cast<std::int64_t>(tokens.size());
  const std::int64_t left = room(view.params, view.prompt(), length);
  if (own.has_guess && view.slice.outs > 1) {
    const auto most = static_cast<std::int64_t>(next.tokens.size()) - 1;
    own.lookup->learn(view.slice.outs - 1,
                      std::min(view.foreseen(next.tokens), most));
  }
  if (left > 0 && !own.rules.are_none()) {
    next.draft =
        own.rules.foresee(view.answer(tokens), std::min(left, kMostForeseen));
  }
  own.has_guess = false;
  if (own.lookup && next.draft.empty()) {
    next.draft = own.lookup->guess(tokens, left);
    own.has_guess = !next.draft.empty();
  }
  Edits edits;
  look_ahead(view, own, tokens, next.draft, edits);
  next.want = want_for(view.rules(), view.params, edits, own.rulings);
  // What a rule will allow next, and whether a draft is found, is not known.
  if (own.rules.are_none() && !own.lookup) {
    next.want->draw = hint(view.rules(), view.params, *next.want, edits,
                           {.branch = next.branch,
                            .position = length - view.prompt(),
                            .room = left});
  }
}

}  // namespace penstock::core
