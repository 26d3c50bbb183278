#include "penstock/memory_plan.h"

#include <algorithm>
#include <utility>

#include "penstock/error.h"
#include "runtime/free_memory.h"
#include "runtime/placement.h"
#include "runtime/stages.h"

namespace penstock {
namespace {

/// What a process takes once it runs, whatever it runs: threads with their
/// stacks and heaps, and libtorch's code and tables as they are used. Measured:
/// from 4 MiB of what loads nothing to 20 MiB of what uses many operations.
constexpr std::int64_t kRuntime = std::int64_t{12} << 20;

/// Stages that are named where a plan does not fit.
constexpr std::size_t kMostNamed = 4;

std::int64_t mib(std::int64_t bytes) {
  constexpr std::int64_t kMiB = 1 << 20;
  return (bytes + kMiB - 1) / kMiB;
}

std::string place_of(const StageMemory& stage) {
  return str(stage.step, stage.step.empty() ? "" : ".", stage.kind, " (",
             stage.name, ")");
}

/// Those that take most, the largest first.
std::string largest(const MemoryPlan& plan) {
  std::vector<const StageMemory*> order;
  for (const StageMemory& each : plan.stages) {
    if (each.device == "cpu") order.push_back(&each);
  }
  const auto all = [](const StageMemory* each) {
    return each->held() +
           std::max(each->foreseen.opening_bytes, each->running());
  };
  std::stable_sort(
      order.begin(), order.end(),
      [&](const auto* a, const auto* b) { return all(a) > all(b); });
  std::string out = str("programs and libraries ", mib(plan.process), " MiB");
  for (std::size_t i = 0; i < order.size() && i < kMostNamed; ++i) {
    const StageMemory& each = *order[i];
    if (all(&each) == 0) break;
    out += str(", ", place_of(each), " ", mib(all(&each)), " MiB");
    const std::int64_t sequences =
        each.foreseen.sequence_bytes * each.sequences;
    if (mib(sequences) <= 1) continue;
    out += str(" (of that ", each.sequences, " sequences ", mib(sequences),
               " MiB)");
  }
  return out;
}

/// Whether what runs takes more than what is loaded.
std::string remedy(const MemoryPlan& plan) {
  std::int64_t held = 0;
  std::int64_t sequences = 0;
  for (const StageMemory& each : plan.stages) {
    if (each.device != "cpu") continue;
    held += each.held();
    if (each.sequences > 1 || each.tokens != 1) {
      sequences += each.foreseen.sequence_bytes * each.sequences;
    }
  }
  if (sequences > held) {
    return "lower batch.max_sequences, the tokens of a request "
           "(preprocess.max_tokens, decode.max_new_tokens) or "
           "batch.max_step_tokens";
  }
  return "take a smaller model, or a dtype of fewer bytes";
}

}  // namespace

std::int64_t MemoryPlan::peak(const std::string& device) const {
  std::int64_t held = 0;
  std::int64_t opening = 0;
  std::int64_t running = 0;
  for (const StageMemory& each : stages) {
    if (each.device != device) continue;
    held += each.held();
    opening = std::max(opening, held + each.foreseen.opening_bytes);
    running += each.running();
  }
  return (device == "cpu" ? process : 0) + std::max(opening, held + running);
}

std::vector<std::string> MemoryPlan::devices() const {
  std::vector<std::string> out{"cpu"};
  for (const StageMemory& each : stages) {
    if (std::find(out.begin(), out.end(), each.device) == out.end()) {
      out.push_back(each.device);
    }
  }
  return out;
}

MemoryPlan plan_memory(const CompositionFile& file,
                       const std::vector<MemoryLoad>& loads) {
  MemoryPlan plan;
  plan.process = resident_memory() + kRuntime;
  for (std::size_t i = 0; i < file.steps.size(); ++i) {
    const StepConfig& step = file.steps[i];
    try {
      const Stages stages(step.file);
      const MemoryLoad load = i < loads.size() ? loads[i] : MemoryLoad{};
      for (StageMemory& each :
           stages.memory(step.file, devices_of(step.file), load)) {
        each.step = step.name;
        plan.stages.push_back(std::move(each));
      }
    } catch (Error& error) {
      throw step.name.empty() ? error : error.in(Place::step(step.name));
    }
  }
  return plan;
}

MemoryLimit memory_limit() {
  const FreeMemory all = all_memory();
  return {.bytes = all.bytes, .source = all.limit};
}

void check_fits(const MemoryPlan& plan, const MemoryLimit& limit) {
  const std::int64_t needed = plan.peak();
  if (needed <= limit.bytes) return;
  throw Error(Code::kData,
              str("it needs ", mib(needed), " MiB of memory, but there are ",
                  limit.bytes >> 20, " MiB ", limit.source, ": ", largest(plan),
                  "; ", remedy(plan)));
}

}  // namespace penstock
