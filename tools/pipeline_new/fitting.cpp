#include "pipeline_new/fitting.h"

#include <algorithm>
#include <iterator>

#include "pipeline_new/files.h"

namespace penstock::fresh {
namespace {

using Specs = std::vector<const StageSpec*>;

/// Stages of a chain; more make no sense yet.
constexpr std::size_t kLongest = 3;

std::string plugin_of(const StageSpec& spec) {
  return spec.name.substr(0, spec.name.find('.'));
}

/// It fits whatever stands before it, and so says nothing of what is meant.
bool takes_anything(const StageSpec& spec) {
  return spec.inputs.empty() && spec.notes.needs.empty() &&
         (spec.kind == StageKind::kForward || spec.kind == StageKind::kDecode ||
          spec.kind == StageKind::kPostprocess);
}

/// Those of the forward's own plugin first, then of core, which fit anything;
/// last what takes anything.
void prefer(Specs& specs, const StageSpec& forward) {
  const auto rank = [&](const StageSpec* spec) {
    if (plugin_of(*spec) == plugin_of(forward)) return 0;
    if (takes_anything(*spec)) return 3;
    return plugin_of(*spec) == "core" ? 1 : 2;
  };
  std::stable_sort(specs.begin(), specs.end(),
                   [&](const StageSpec* a, const StageSpec* b) {
                     return rank(a) < rank(b);
                   });
}

/// As the check of a file sees it: the last to give a port wins.
bool gives(const Specs& chain, const StageSpec& forward) {
  std::vector<Port> items;
  for (const StageSpec* stage : chain) {
    items.insert(items.end(), stage->outputs.begin(), stage->outputs.end());
  }
  const auto& wanted = forward.inputs;
  return mismatches(with_missing({}, items, wanted), wanted).empty();
}

/// The same of a Writer, which also reads its item; but the item's tokens are
/// its prompt's, not those that Decode makes.
bool gives(const StageSpec& decode, const Specs& chain,
           const StageSpec& writer) {
  std::vector<Port> items;
  for (const StageSpec* stage : chain) {
    std::copy_if(stage->outputs.begin(), stage->outputs.end(),
                 std::back_inserter(items),
                 [](const Port& port) { return port.name != "tokens"; });
  }
  return mismatches(with_missing(decode.outputs, items, writer.inputs),
                    writer.inputs)
      .empty();
}

bool has_in_order(const Specs& chain, const Specs& wanted) {
  auto at = chain.begin();
  for (const StageSpec* stage : wanted) {
    at = std::find(at, chain.end(), stage);
    if (at == chain.end()) return false;
    ++at;
  }
  return true;
}

void extend(const Specs& from, const Specs& chain, std::vector<Specs>& out) {
  if (!chain.empty()) out.push_back(chain);
  if (chain.size() == kLongest) return;
  for (const StageSpec* stage : from) {
    if (std::find(chain.begin(), chain.end(), stage) != chain.end()) continue;
    Specs longer = chain;
    longer.push_back(stage);
    extend(from, longer, out);
  }
}

}  // namespace

std::string& Choice::of(StageKind kind) {
  switch (kind) {
    case StageKind::kBatch:
      return batch;
    case StageKind::kForward:
      return forward;
    case StageKind::kDecode:
      return decode;
    default:
      return postprocess;
  }
}

const std::string& Choice::of(StageKind kind) const {
  return const_cast<Choice*>(this)->of(kind);  // NOLINT: changes nothing
}

Fitting::Fitting(StageCatalog& catalog, Specs stages,
                 const std::vector<std::string>& wanted)
    : catalog_(catalog), stages_(std::move(stages)) {
  for (const std::string& name : wanted) {
    const StageSpec& spec = catalog.find(name);
    auto& list = wanted_[spec.kind];
    if (spec.kind != StageKind::kPreprocess && !list.empty()) {
      throw Error(Code::kUsage, str("a pipeline has one ", to_string(spec.kind),
                                    " stage, not both ", list.front()->name,
                                    " and ", spec.name));
    }
    list.push_back(&spec);
    if (std::find(stages_.begin(), stages_.end(), &spec) == stages_.end()) {
      stages_.push_back(&spec);
    }
  }
}

Specs Fitting::candidates(StageKind kind) const {
  const auto wanted = wanted_.find(kind);
  if (wanted != wanted_.end() && kind != StageKind::kPreprocess) {
    return wanted->second;
  }
  Specs all;
  for (const StageSpec* stage : stages_) {
    if (stage->kind == kind) all.push_back(stage);
  }
  return all;
}

/// Shortest first.
std::vector<Specs> Fitting::chains(const StageSpec& forward) const {
  Specs from = candidates(StageKind::kPreprocess);
  prefer(from, forward);
  std::vector<Specs> all;
  extend(from, {}, all);
  const auto wanted = wanted_.find(StageKind::kPreprocess);
  std::erase_if(all, [&](const Specs& chain) {
    return !gives(chain, forward) ||
           (wanted != wanted_.end() && !has_in_order(chain, wanted->second));
  });
  std::stable_sort(all.begin(), all.end(), [](const Specs& a, const Specs& b) {
    return a.size() < b.size();
  });
  return all;
}

Specs Fitting::batches(const StageSpec& forward) const {
  Specs all = candidates(StageKind::kBatch);
  prefer(all, forward);
  // A Forward names the layout that suits it best first.
  Specs fitting;
  for (const Layout layout : forward.layouts) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(fitting),
                 [&](const StageSpec* batch) {
                   const auto& made = batch->layouts;
                   return std::find(made.begin(), made.end(), layout) !=
                          made.end();
                 });
  }
  return fitting;
}

/// Those whose ports and layouts fit, the likeliest first: a model's own Writer
/// says best which Decode is meant.
std::vector<Choice> Fitting::choices(const StageSpec& forward) const {
  std::vector<Choice> all;
  Specs decodes = candidates(StageKind::kDecode);
  prefer(decodes, forward);
  Specs writers = candidates(StageKind::kPostprocess);
  prefer(writers, forward);
  const Specs rectangles = batches(forward);
  const auto to_forward = chains(forward);
  for (const StageSpec* writer : writers) {
    for (const StageSpec* decode : decodes) {
      if (!mismatches(forward.outputs, decode->inputs).empty()) continue;
      for (const Specs& chain : to_forward) {
        if (!gives(*decode, chain, *writer)) continue;
        for (const StageSpec* batch : rectangles) {
          Choice& choice = all.emplace_back();
          for (const auto* stage : chain) {
            choice.preprocess.push_back(stage->name);
          }
          choice.batch = batch->name;
          choice.forward = forward.name;
          choice.decode = decode->name;
          choice.postprocess = writer->name;
        }
      }
    }
  }
  return all;
}

/// The check of files has the last word: notes, facts, next inputs.
bool Fitting::fits(const Choice& choice, std::string* problem) const {
  const Draft draft(pipeline_text("draft", choice, "text"));
  try {
    (void)load_pipeline_file(draft.path(), catalog_);
    return true;
  } catch (const ConfigError& error) {
    if (problem != nullptr) *problem = error.problems().front();
    return false;
  }
}

Choice Fitting::best() const {
  std::string tried;
  Specs forwards = candidates(StageKind::kForward);
  std::stable_partition(
      forwards.begin(), forwards.end(),
      [](const StageSpec* forward) { return !takes_anything(*forward); });
  for (const StageSpec* forward : forwards) {
    std::string problem = "no other stages have the ports and layouts for it";
    for (const Choice& choice : choices(*forward)) {
      if (fits(choice, &problem)) return choice;
    }
    tried += str("\n  ", forward->name, ": ", problem);
  }
  throw Error(Code::kData,
              str("no pipeline can be made with what was named; of each "
                  "forward stage what is missing:",
                  tried));
}

std::vector<std::string> Fitting::others(const Choice& choice,
                                         StageKind kind) const {
  std::vector<std::string> names;
  for (const StageSpec* stage : stages_) {
    if (stage->kind != kind || stage->name == choice.of(kind)) continue;
    Choice other = choice;
    other.of(kind) = stage->name;
    if (fits(other, nullptr)) names.push_back(stage->name);
  }
  return names;
}

std::string pipeline_text(const std::string& name, const Choice& choice,
                          const std::string& input) {
  std::string text = str("version: 1\nname: ", name,
                         "\n# model: a path, or a name of tools/models list, "
                         "for stages that load one\n\npreprocess:\n");
  for (const std::string& stage : choice.preprocess) {
    text += str("  - {use: ", stage, "}\n");
  }
  for (const StageKind kind : {StageKind::kBatch, StageKind::kForward,
                               StageKind::kDecode, StageKind::kPostprocess}) {
    text += str(to_string(kind), ": {use: ", choice.of(kind), "}\n");
  }
  if (input == "text") return text + "\ninputs:\n  - {text: \"Hello\"}\n";
  return text + str("\n# inputs:\n#   - {", input, ": FILE}\n");
}

}  // namespace penstock::fresh
