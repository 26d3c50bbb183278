#include "penstock/testing/stage_faults.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "penstock/parallel.h"
#include "penstock/testing/conformance.h"
#include "testing/stage_run.h"

namespace penstock::testing {
namespace {

constexpr int kTogether = 24;
constexpr int kOpenings = 3;

std::string tensors_differ(const Tensors& got, const Tensors& wanted,
                           const Rounding& rounding) {
  if (got.size() != wanted.size()) {
    return str(got.size(), " tensors instead of ", wanted.size());
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i].first != wanted[i].first) {
      return str("'", got[i].first, "' instead of '", wanted[i].first, "'");
    }
    const auto problem = difference(got[i].second, wanted[i].second, rounding);
    if (!problem.empty()) return str("'", got[i].first, "': ", problem);
  }
  return "";
}

std::string items_differ(const Made& got, const Made& wanted,
                         const Rounding& rounding) {
  if (got.items.size() != wanted.items.size()) {
    return str("it pushed ", got.items.size(), " items instead of ",
               wanted.items.size());
  }
  for (std::size_t i = 0; i < got.items.size(); ++i) {
    const GivenItem& a = got.items[i];
    const GivenItem& b = wanted.items[i];
    std::string problem = tensors_differ(a.inputs, b.inputs, rounding);
    if (problem.empty() && a.tokens != b.tokens) problem = "other tokens";
    if (problem.empty() && a.notes != b.notes) problem = "other notes";
    if (!problem.empty()) return str("item ", i, ": ", problem);
  }
  return "";
}

/// What became of each branch of each item, whatever order they came in.
using Answers = std::map<std::pair<std::int64_t, int>, std::vector<Decoded>>;

Answers answers(const Made& made) {
  Answers all;
  for (const Decoded& decoded : made.decoded) {
    all[{decoded.item->index, decoded.branch}].push_back(decoded);
  }
  return all;
}

std::string answers_differ(const Made& got, const Made& wanted,
                           const Rounding& rounding) {
  const Answers a = answers(got);
  const Answers b = answers(wanted);
  for (const auto& [place, pieces] : b) {
    const auto found = a.find(place);
    const std::string where = str("item ", place.first, ": ");
    if (found == a.end() || found->second.size() != pieces.size()) {
      return where + "another number of outputs";
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Decoded& x = found->second[i];
      const Decoded& y = pieces[i];
      if (x.tokens != y.tokens) return where + "other tokens";
      if (x.notes != y.notes) return where + "other notes";
      const auto problem = tensors_differ(x.tensors, y.tensors, rounding);
      if (!problem.empty()) return where + problem;
    }
  }
  return a.size() == b.size() ? "" : "another number of branches";
}

/// What Forward computed for each item, position after position.
Tensors outputs(const Made& made, const std::string& request) {
  std::map<std::string, std::vector<at::Tensor>> rows;
  for (const MadeStep& step : made.steps) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const MadeSlice& slice = step.slices[i];
      if (slice.request != request) continue;
      const std::string of = str("item ", slice.item, ", ");
      for (const auto& [name, tensor] : step.result.out) {
        const auto row = static_cast<std::int64_t>(i);
        rows[of + name].push_back(tensor.narrow(0, row, 1));
      }
      const at::Tensor& full = step.result.scores.full;
      if (!full.defined() || slice.outs == 0) continue;
      rows[of + "scores"].push_back(full.narrow(0, slice.out, slice.outs));
    }
  }
  Tensors all;
  for (const auto& [name, parts] : rows) all.emplace_back(name, at::cat(parts));
  return all;
}

std::string written_differ(const Made& got, const Made& wanted) {
  if (got.outcome.text() != wanted.outcome.text()) {
    return str("it wrote '", got.outcome.text(), "' instead of '",
               wanted.outcome.text(), "'");
  }
  return got.outcome.json() == wanted.outcome.json() ? ""
                                                     : "it wrote other JSON";
}

/// How two runs differ in what a stage of that kind makes.
std::string runs_differ(StageKind kind, const Made& got, std::size_t request,
                        const Made& wanted, const Rounding& rounding) {
  switch (kind) {
    case StageKind::kPreprocess:
      return items_differ(got, wanted, rounding);
    case StageKind::kForward:
      return tensors_differ(outputs(got, std::to_string(request)),
                            outputs(wanted, "0"), rounding);
    case StageKind::kPostprocess:
      return written_differ(got, wanted);
    default:
      return answers_differ(got, wanted, rounding);
  }
}

/// Each sequence's tokens ran once and in order: of no slice do some come
/// twice or stay out.
std::string order_faults(const Made& made) {
  std::map<std::pair<std::int64_t, int>, std::int64_t> ran;
  for (const MadeStep& step : made.steps) {
    for (const MadeSlice& slice : step.slices) {
      std::int64_t& end = ran[{slice.item, slice.branch}];
      if (slice.branch == 0 && slice.begin != end) {
        return str("item ", slice.item, ": tokens from ", slice.begin,
                   " ran after the first ", end);
      }
      end = slice.begin + slice.count;
    }
  }
  for (std::size_t i = 0; i < made.items.size(); ++i) {
    const auto wanted = static_cast<std::int64_t>(made.items[i].tokens.size());
    if (ran[{static_cast<std::int64_t>(i), 0}] < wanted) {
      return str("item ", i, ": its prompt did not run to its end");
    }
  }
  return "";
}

/// A Forward of the file by itself, with so many slots.
std::unique_ptr<Stage> opened(const StageConfig& config, int slots,
                              Notes& facts) {
  auto stage = config.spec->make(config.params.get());
  StageContext context{
      .device = at::kCPU,
      .model = config.model.empty() ? "" : resolve_model(config.model),
      .slots = slots,
      .threads = 1,
      .max_step_tokens = 0,
      .facts = facts};
  stage->open(context);
  return stage;
}

std::string state_faults(const PipelineFile& file, const Given& given,
                         double tolerance) {
  Conformance test;
  test.layout = file.batch.spec->layouts.front();
  test.tolerance = tolerance;
  for (const GivenItem& item : given.items) {
    if (item.tokens.size() >= 8) test.prompts.push_back(item.tokens);
  }
  if (test.prompts.empty()) return "";
  Notes facts;
  const int slots = static_cast<int>(test.prompts.size()) + 1;
  const auto cached = opened(file.forward, slots, facts);
  const auto uncached = opened(file.forward, 0, facts);
  auto& forward = dynamic_cast<Forward&>(*cached);
  if (forward.caps().slots == 0) return "";
  const auto result =
      check_forward(forward, dynamic_cast<Forward&>(*uncached), test);
  return result.failures.empty() ? "" : result.failures.front();
}

/// The largest score that rounding may change, of scores of that size.
double tolerance_of(const Made& made, const Rounding& rounding) {
  double largest = 0;
  for (const MadeStep& step : made.steps) {
    const at::Tensor& full = step.result.scores.full;
    if (!full.defined() || full.numel() == 0) continue;
    largest = std::max(largest, full.abs().max().item<double>());
  }
  return 0x1p-23 * (2 + std::sqrt(static_cast<double>(rounding.terms))) *
         rounding.factor * largest;
}

class Faults {
 public:
  void add(const std::string& where, const std::string& problem) {
    if (problem.empty()) return;
    text_ += (text_.empty() ? "" : "\n") + where + ": " + problem;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

std::string stage_faults(const std::string& yaml, const Given& given,
                         const Rounding& rounding) {
  const SerialOps serial;
  LinkedCatalog catalog;
  const StageKind kind = first_stage(yaml, catalog).kind;
  const std::string text = under_its_key(yaml, catalog);
  Faults faults;
  StageRun stage(text, given);
  const Made alone = std::move(stage.run(1).front());
  const auto compare = [&](const std::string& where,
                           const std::vector<Made>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto problem = runs_differ(kind, all[i], i, alone, rounding);
      faults.add(where, problem);
      if (!problem.empty()) return;
    }
  };
  compare("a second request", stage.run(1));
  compare(str(kTogether, " requests at once"), stage.run(kTogether));
  for (int i = 1; i < kOpenings; ++i) {
    compare("opened again", StageRun(text, given).run(1));
  }
  if (kind == StageKind::kBatch) faults.add("plans", order_faults(alone));
  if (kind == StageKind::kForward) {
    faults.add("state", state_faults(stage.file(), given,
                                     tolerance_of(alone, rounding)));
  }
  return faults.text();
}

}  // namespace penstock::testing
