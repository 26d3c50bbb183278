#include "pipeline_run/capsule/replay.h"

#include <ATen/ops/isfinite.h>

#include <iostream>
#include <sstream>

#include "common/harmless.h"
#include "penstock/dtype.h"
#include "penstock/parallel.h"
#include "penstock/pipeline_file.h"
#include "penstock/sdk_version.h"
#include "pipeline_run/capsule/read.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/inspect/show.h"
#include "pipeline_run/inspect/stage_json.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;

void tell_version(const std::string& theirs) {
  if (theirs == PENSTOCK_SDK_VERSION) return;
  std::cerr << "pipeline-run: the capsule was made by Penstock "
            << harmless(theirs) << ", this is " PENSTOCK_SDK_VERSION "\n";
}

std::string line_of_tensor(const std::string& name, const at::Tensor& tensor) {
  std::ostringstream out;
  out << "  " << harmless(name) << ": " << dtype_word(tensor.scalar_type())
      << tensor.sizes();
  if (!tensor.is_floating_point() || tensor.numel() == 0) return out.str();
  const at::Tensor values = tensor.to(at::kFloat);
  const auto wrong = values.numel() - at::isfinite(values).sum().item<long>();
  out << ", " << values.min().item<float>() << " .. "
      << values.max().item<float>();
  if (wrong > 0) out << ", " << wrong << " not finite";
  return out.str();
}

void print(std::ostream& to, const std::string& title, const Tensors& tensors) {
  if (tensors.empty()) return;
  to << title << "\n";
  for (const auto& [name, tensor] : tensors) {
    if (tensor.defined()) to << line_of_tensor(name, tensor) << "\n";
  }
}

/// What the call made, for a person.
void print(std::ostream& to, const Replayed& made) {
  for (const Item& item : made.items) {
    to << "item: " << item.tokens.size() << " tokens, notes "
       << line_of(notes_json(item.notes)) << "\n";
    print(to, "  inputs", item.inputs);
  }
  print(to, "inputs", made.inputs);
  print(to, "outputs", made.result.out);
  print(to, "scores", named_scores(made.result.scores));
  for (const Next& next : made.nexts) {
    to << "sequence " << next.slice << ": tokens [" << line_of(next.tokens)
       << "], finish " << to_string(next.finish) << "\n";
    for (const Decoded& each : next.emit) {
      print(to, "  emits", each.tensors);
    }
  }
  for (const Value& value : made.values) {
    to << "emits " << harmless(line_of(value_json(value))) << "\n";
  }
}

}  // namespace

int replay_capsule(const Options& options, PluginHost& plugins) {
  const fs::path folder = options.replay;
  KeptCapsule kept = read_capsule(folder);
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  const PipelineFile file =
      load_pipeline_file(folder / "pipeline.yaml", plugins, overrides);
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  const auto stages = file.stages();
  const std::size_t place = kept.call.index;
  if (place >= stages.size() || kept.use != stages[place]->spec->name) {
    throw Error(Code::kData,
                str("'", (folder / "capsule.json").string(),
                    "': its stage is not at that place of pipeline.yaml"));
  }
  tell_version(kept.version);
  const Replayed made = replay(file, kept.call);
  std::ostringstream to;
  to << kept.use << (kept.call.is_opening ? " was opened\n" : " returned\n");
  print(to, made);
  if (!kept.error.empty()) {
    to << "it did not fail as it did then: "
       << harmless(kept.error.substr(0, kept.error.find('\n'))) << "\n";
  }
  Output output;
  output.write(to.str());
  return exit_code(output, 0);
}

}  // namespace penstock::run
