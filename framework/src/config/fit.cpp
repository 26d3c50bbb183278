#include "config/fit.h"

#include <algorithm>
#include <iterator>

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

bool has_port(const std::vector<Port>& ports, const std::string& name) {
  return std::any_of(ports.begin(), ports.end(),
                     [&](const Port& port) { return port.name == name; });
}

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> out;
  out.reserve(ports.size());
  for (const Port& port : ports) out.push_back(port.name);
  return out;
}

/// The ports of `wanted` that are given; tell(port) is called for the others.
template <class Tell>
std::vector<Port> given_of(const std::vector<Port>& given,
                           const std::vector<Port>& wanted, const Tell& tell) {
  std::vector<Port> out;
  for (const Port& port : wanted) {
    if (has_port(given, port.name)) {
      out.push_back(port);
    } else {
      tell(port);
    }
  }
  return out;
}

void check_ports(const std::string& giver, const std::vector<Port>& given,
                 const std::vector<Port>& wanted, const StageDraft& taker,
                 Problems& problems) {
  for (const auto& problem : mismatches(given, wanted)) {
    problems.add(taker.use_at,
                 str(taker.config.spec->name, " does not fit what ", giver,
                     " gives: ", problem));
  }
}

/// The names in a model file are its author's: each problem says how to make
/// them those of the pipeline.
std::vector<Port> given_to_model(const std::vector<Port>& given,
                                 const StageDraft& model, Problems& problems) {
  const StageSpec& spec = *model.config.spec;
  return given_of(given, spec.inputs, [&](const Port& port) {
    problems.add(
        model.use_at,
        str(spec.name, ": the model wants ", to_string(port),
            " and nothing gives it (given: ",
            given.empty() ? "nothing" : joined(names(given)),
            "); fill it with set: [\"", port.name,
            "=0\"], or say what it is here with names: [\"", port.name, "=",
            given.size() == 1 ? given.front().name : "NAME", "\"]"));
  });
}

std::vector<Port> given_by_model(const StageDraft& model,
                                 const StageDraft& taker, Problems& problems) {
  const auto& given = model.config.spec->outputs;
  return given_of(given, taker.config.spec->inputs, [&](const Port& port) {
    problems.add(taker.use_at,
                 str(taker.config.spec->name, " wants ", to_string(port),
                     ", but the model gives ", joined(names(given)),
                     "; say which it is with forward.names: [\"",
                     given.size() == 1 ? given.front().name : "NAME", "=",
                     port.name, "\"]"));
  });
}

void check_next(const StageDraft& giver, const StageDraft& taker,
                Problems& problems) {
  if (!giver.is_in_place || !taker.is_in_place) return;
  if (!giver.has_ports || !taker.has_ports) return;
  const StageSpec& spec = *giver.config.spec;
  check_ports(spec.name, spec.outputs,
              spec.describe ? given_by_model(giver, taker, problems)
                            : taker.config.spec->inputs,
              taker, problems);
}

/// The stages of a list add to one item; the last to give a port wins.
void check_preprocess(const Draft& draft, Problems& problems) {
  if (draft.preprocess.empty() || !draft.forward.is_in_place) return;
  if (!draft.forward.has_ports) return;
  std::vector<Port> given;
  std::vector<std::string> givers;
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 has no views::reverse
  for (auto stage = draft.preprocess.rbegin(); stage != draft.preprocess.rend();
       ++stage) {
    if (!stage->is_in_place || !stage->has_ports) return;
    const StageSpec& spec = *stage->config.spec;
    given.insert(given.end(), spec.outputs.begin(), spec.outputs.end());
    givers.insert(givers.begin(), spec.name);
  }
  const StageSpec& forward = *draft.forward.config.spec;
  check_ports(joined(givers), given,
              forward.describe ? given_to_model(given, draft.forward, problems)
                               : forward.inputs,
              draft.forward, problems);
}

/// What Decode gives, and what the Writer finds of its item beside it.
void check_postprocess(const Draft& draft, Problems& problems) {
  if (!draft.decode.is_in_place || !draft.postprocess.is_in_place) return;
  std::vector<Port> items;
  for (const StageDraft& stage : draft.preprocess) {
    if (!stage.is_in_place) return;
    const auto& made = stage.config.spec->outputs;
    // An item's tokens are its prompt's, not those that Decode makes.
    std::copy_if(made.begin(), made.end(), std::back_inserter(items),
                 [](const Port& port) { return port.name != "tokens"; });
  }
  const StageSpec& decode = *draft.decode.config.spec;
  const auto& wanted = draft.postprocess.config.spec->inputs;
  check_ports(decode.name, with_missing(decode.outputs, items, wanted), wanted,
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
