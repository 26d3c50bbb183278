#include "config/fit.h"

#include <algorithm>

#include "base/quote.h"

namespace penstock::config {
namespace {

std::string names(const std::vector<Layout>& layouts) {
  std::vector<std::string> out;
  out.reserve(layouts.size());
  for (const auto layout : layouts) out.push_back(to_string(layout));
  return out.empty() ? "none" : joined(out);
}

void check_layout(const StageDraft& batch, const StageDraft& forward,
                  Problems& problems) {
  if (!batch.is_in_place || !forward.is_in_place) return;
  const auto& takes = forward.config.spec->layouts;
  for (const auto made : batch.config.spec->layouts) {
    if (std::find(takes.begin(), takes.end(), made) != takes.end()) continue;
    problems.add(
        batch.use_at,
        str(batch.config.spec->name, " makes ", to_string(made), " batches; ",
            forward.config.spec->name, " takes ", names(takes)));
  }
}

void check_ports(const std::string& giver, const std::vector<Port>& given,
                 const StageDraft& taker, Problems& problems) {
  const StageSpec& spec = *taker.config.spec;
  for (const auto& problem : mismatches(given, spec.inputs)) {
    problems.add(taker.use_at, str(spec.name, " does not fit what ", giver,
                                   " gives: ", problem));
  }
}

void check_next(const StageDraft& giver, const StageDraft& taker,
                Problems& problems) {
  if (!giver.is_in_place || !taker.is_in_place) return;
  const StageSpec& spec = *giver.config.spec;
  check_ports(spec.name, spec.outputs, taker, problems);
}

/// The stages of a list add to one item; the last to give a port wins.
void check_preprocess(const Draft& draft, Problems& problems) {
  if (draft.preprocess.empty() || !draft.forward.is_in_place) return;
  std::vector<Port> given;
  std::vector<std::string> givers;
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 has no views::reverse
  for (auto stage = draft.preprocess.rbegin(); stage != draft.preprocess.rend();
       ++stage) {
    if (!stage->is_in_place) return;
    const StageSpec& spec = *stage->config.spec;
    given.insert(given.end(), spec.outputs.begin(), spec.outputs.end());
    givers.insert(givers.begin(), spec.name);
  }
  check_ports(joined(givers), given, draft.forward, problems);
}

/// What Decode gives, and what the Writer finds of its item beside it.
void check_postprocess(const Draft& draft, Problems& problems) {
  if (!draft.decode.is_in_place || !draft.postprocess.is_in_place) return;
  std::vector<Port> items;
  for (const StageDraft& stage : draft.preprocess) {
    if (!stage.is_in_place) return;
    const auto& made = stage.config.spec->outputs;
    items.insert(items.end(), made.begin(), made.end());
  }
  const StageSpec& decode = *draft.decode.config.spec;
  const auto& wanted = draft.postprocess.config.spec->inputs;
  check_ports(decode.name, with_missing(decode.outputs, items, wanted),
              draft.postprocess, problems);
}

void check_rules(const Draft& draft, Problems& problems) {
  if (!draft.decode.is_in_place || draft.decode.config.spec->takes_rules) {
    return;
  }
  for (const StageDraft& rule : draft.rules) {
    if (!rule.is_in_place) continue;
    problems.add(rule.use_at, str(draft.decode.config.spec->name,
                                  " takes no rules; core.sample does"));
  }
}

}  // namespace

void check_fit(const Draft& draft, Problems& problems) {
  check_layout(draft.batch, draft.forward, problems);
  check_preprocess(draft, problems);
  check_next(draft.forward, draft.decode, problems);
  check_postprocess(draft, problems);
  check_rules(draft, problems);
}

}  // namespace penstock::config
