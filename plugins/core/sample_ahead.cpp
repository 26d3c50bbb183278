// How core.sample prepares a sequence's next step.
#include <algorithm>
#include <utility>

#include "core/sample_state.h"

namespace penstock::core {
namespace {

/// With more of the best wanted, every score costs less.
constexpr std::int64_t kMostTop = 1024;
/// Of what rules foresee: each token makes the step wider, and a wrong one
/// makes those behind it useless.
constexpr std::int64_t kMostForeseen = 16;

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

void SampleDecode::go_on(const View& view, Tokens tokens, Next& next) const {
  Branch& own = view.state.branches.at(static_cast<std::size_t>(next.branch));
  const auto length = static_cast<std::int64_t>(tokens.size());
  const std::int64_t room =
      std::min(view.params.max_new_tokens - (length - view.prompt()),
               context_length_ - length) -
      1;
  if (own.has_guess && view.slice.outs > 1) {
    const auto most = static_cast<std::int64_t>(next.tokens.size()) - 1;
    own.lookup->learn(view.slice.outs - 1,
                      std::min(view.foreseen(next.tokens), most));
  }
  if (room > 0 && !own.rules.are_none()) {
    next.draft =
        own.rules.foresee(view.answer(tokens), std::min(room, kMostForeseen));
  }
  own.has_guess = false;
  if (own.lookup && next.draft.empty()) {
    next.draft = own.lookup->guess(tokens, room);
    own.has_guess = !next.draft.empty();
  }
  Edits edits;
  look_ahead(view, own, tokens, next.draft, edits);
  next.want = want_for(view.rules(), view.params, edits, own.rulings);
}

}  // namespace penstock::core
