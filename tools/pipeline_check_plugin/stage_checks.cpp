#include "pipeline_check_plugin/stage_checks.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "penstock/plugin_host.h"
#include "penstock/stage.h"
#include "penstock/testing/stage_faults.h"
#include "pipeline_check_plugin/given.h"

namespace penstock::check {
namespace {

namespace fs = std::filesystem;

constexpr int kTimes = 100;
/// Runs after which everything that is made once has been made.
constexpr int kFirst = 20;
/// What may come and go between two looks, in MiB.
constexpr double kNoise = 8;

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

int threads() {
  int count = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
    (void)entry;
    ++count;
  }
  return count;
}

/// Those that are ending have a second for it.
int threads_at_rest(int before) {
  for (int i = 0; i < 100 && threads() > before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return threads();
}

/// Does it often and looks whether it leaves anything behind.
void again_and_again(const std::string& what, const std::function<void()>& call,
                     const Tell& tell) {
  for (int i = 0; i < kFirst; ++i) call();
  const double memory = resident_mib();
  const int running = threads();
  for (int i = kFirst; i < kTimes; ++i) call();
  const double growth = resident_mib() - memory;
  if (growth > kNoise) {
    tell(Level::kFault, str(what, " ", kTimes - kFirst, " times leaves ",
                            static_cast<int>(growth), " MiB behind"));
  }
  const int left = threads_at_rest(running) - running;
  if (left > 0) {
    tell(Level::kFault,
         str(what, " leaves threads behind: ", left, " after ", kTimes - kFirst,
             " times; close() has to join them"));
  }
  if (growth <= kNoise && left <= 0) {
    tell(Level::kOk, str(what, " ", kTimes, " times leaves nothing behind"));
  }
}

void check_declaration(const StageSpec& spec, const Tell& tell) {
  const bool has_own_ports = !spec.describe;  // else the model's or the params'
  if (has_own_ports && spec.inputs.empty() && spec.notes.needs.empty() &&
      (spec.kind == StageKind::kForward || spec.kind == StageKind::kDecode ||
       spec.kind == StageKind::kPostprocess)) {
    tell(Level::kNote,
         "declares no input: a pipeline in which it gets nothing that it can "
         "use is not refused");
  }
  const bool gives = !spec.outputs.empty() || !spec.notes.makes.empty();
  if (has_own_ports && !gives &&
      (spec.kind == StageKind::kPreprocess ||
       spec.kind == StageKind::kForward || spec.kind == StageKind::kDecode)) {
    tell(Level::kNote,
         "declares neither an output nor a note that it makes: "
         "no stage after it can be checked against it");
  }
  if (spec.kind == StageKind::kForward && spec.layouts.empty()) {
    tell(Level::kFault, "accepts no layout, so that no batch fits it");
  }
}

void make_often(const StageSpec& spec, const Tell& tell) {
  const auto params = spec.params.make();
  again_and_again(
      "making it", [&] { (void)spec.make(params.get()); }, tell);
}

/// It needs what is not here, a model above all, or it is at fault. A stage may
/// read more than its ports say, and that was not given.
void tell_error(const Error& error, const Tell& tell) {
  const bool is_fault = error.code() == Code::kInternal &&
                        !error.text().starts_with("no tensor '");
  tell(is_fault ? Level::kFault : Level::kNote,
       (is_fault ? "" : "could not be run with made-up inputs: ") +
           error.text());
}

void run_often(const StageSpec& spec, const Tell& tell) {
  std::string why;
  const auto given = given_for(spec, why);
  if (!given) {
    tell(Level::kNote, "could not be run with made-up inputs: " + why);
    return;
  }
  std::string yaml = "{use: " + spec.name + "}";
  if (spec.kind == StageKind::kPreprocess && !given->items.empty()) {
    yaml = "- {use: fake.preprocess}\n- " + yaml;
  }
  try {
    (void)testing::run_stage(yaml, *given);
  } catch (const Error& error) {
    tell_error(error, tell);
    return;
  }
  const std::string faults = testing::stage_faults(yaml, *given);
  if (faults.empty()) {
    tell(Level::kOk, "does what a stage of its kind must");
  } else {
    tell(Level::kFault, faults);
  }
  again_and_again(
      "opening, running and closing it",
      [&] { (void)testing::run_stage(yaml, *given); }, tell);
}

}  // namespace

void try_plugin(const fs::path& folder, const std::string& plugin,
                const Tell& tell) {
  const int before = threads();
  PluginHost host({folder});
  try {
    for (const StageSpec& spec : host.stages(plugin)) {
      tell(Level::kNote, "stage " + spec.name);
    }
  } catch (const Error& error) {
    tell(Level::kFault, error.text());
    return;
  }
  for (const std::string& warning : host.warnings()) {
    tell(Level::kFault, warning);
  }
  const int left = threads_at_rest(before) - before;
  if (left > 0) {
    tell(Level::kFault, str("starts ", left, " threads when it is loaded"));
  }
}

void try_stage(const fs::path& folder, const std::string& stage,
               const Tell& tell) {
  PluginHost host({folder});
  const StageSpec& spec = host.find(stage);
  check_declaration(spec, tell);
  try {
    make_often(spec, tell);
    run_often(spec, tell);
  } catch (const Error& error) {
    tell_error(error, tell);
  } catch (const std::exception& error) {
    tell(Level::kFault, str("threw ", error.what()));
  }
}

}  // namespace penstock::check
