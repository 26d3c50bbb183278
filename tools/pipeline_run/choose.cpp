#include "pipeline_run/choose.h"

#include <algorithm>
#include <set>

#include "penstock/params.h"

namespace penstock::run {
namespace {

std::vector<std::string> names_of(const CompositionFile& file) {
  std::vector<std::string> names;
  for (const StepConfig& step : file.steps) names.push_back(step.name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

/// The flag as one would write it for `step`.
std::string flag_for(const Options& options, const std::string& step) {
  return options.until.empty() ? "--show " + step
                               : "--until " + step + "." + options.until;
}

/// The step and those above it, whose outputs it takes.
std::set<std::string> needed_for(const std::string& step,
                                 const CompositionFile& file) {
  std::set<std::string> needed;
  for (std::string at = step; !at.empty();) {
    needed.insert(at);
    at = file.steps[static_cast<std::size_t>(file.find(at))].source();
  }
  return needed;
}

/// Options of the steps that do not run are for nobody.
void drop_options(const std::set<std::string>& needed, InputConfig& input) {
  std::erase_if(input.options, [&](const auto& option) {
    return !needed.contains(option.first.substr(0, option.first.find('.')));
  });
}

std::vector<Override> needs_of(const Options& options, const StepConfig& step) {
  std::vector<Override> needs;
  const bool is_looked =
      is_looked_at(options, step.name) &&
      (options.show || options.until == to_string(StageKind::kPreprocess));
  const bool is_told = is_looked || !options.dump.empty();
  const PipelineFile& file = step.file;
  const ParamSpec* folder = file.postprocess.spec->params.find(Ability::kDraws);
  if (!options.render.empty() && folder != nullptr) {
    const std::string place = step.name.empty() ? "" : "/" + step.name;
    needs.push_back(
        {"postprocess." + folder->name, options.render + place, "--render"});
  }
  for (std::size_t i = 0; is_told && i < file.preprocess.size(); ++i) {
    const auto& params = file.preprocess[i].spec->params;
    if (const ParamSpec* tells = params.find(Ability::kShows)) {
      needs.push_back(
          {str("preprocess.", i, ".", tells->name), "true", "pipeline-run"});
    }
  }
  // Of Forward with --show alone: what it makes then costs time and memory.
  const ParamSpec* tells = file.forward.spec->params.find(Ability::kShows);
  if (options.show && is_looked && tells != nullptr) {
    needs.push_back({"forward." + tells->name, "true", "--show"});
  }
  return needs;
}

void check_draws(const CompositionFile& file) {
  const bool draws = std::any_of(
      file.steps.begin(), file.steps.end(), [](const StepConfig& step) {
        return step.file.postprocess.spec->params.find(Ability::kDraws) !=
               nullptr;
      });
  if (draws) return;
  const std::string who =
      file.is_one()
          ? file.steps[0].file.postprocess.spec->name + " draws nothing"
          : "no step draws anything";
  throw Error(Code::kUsage, "--render: " + who);
}

}  // namespace

bool is_looked_at(const Options& options, const std::string& step) {
  return options.step.empty() || step == options.step;
}

void choose_steps(const Options& options, CompositionFile& file) {
  const bool is_looked = options.show || !options.until.empty();
  if (!is_looked) return;
  const auto names = names_of(file);
  if (file.is_one()) {
    if (options.step.empty()) return;
    throw Error(Code::kUsage, str(flag_for(options, options.step),
                                  ": this file has no steps; leave out '",
                                  options.step, "'"));
  }
  if (options.step.empty()) {
    throw Error(Code::kUsage,
                str(options.until.empty() ? "--show" : "--until",
                    " looks into one step; write ", flag_for(options, "STEP"),
                    ", the steps are ", listed(names)));
  }
  if (file.find(options.step) < 0) {
    throw Error(Code::kUsage,
                str(flag_for(options, options.step), ": there is no such step",
                    suggestion(options.step, names), "; the steps are ",
                    listed(names)));
  }
  if (options.until.empty()) return;
  const auto needed = needed_for(options.step, file);
  std::erase_if(file.steps, [&](const StepConfig& step) {
    return !needed.contains(step.name);
  });
  for (InputConfig& input : file.inputs) drop_options(needed, input);
}

void ask_stages(const Options& options, CompositionFile& file) {
  if (!options.render.empty()) check_draws(file);
  for (StepConfig& step : file.steps) {
    const auto needs = needs_of(options, step);
    if (!needs.empty()) override_params(step.file, needs);
  }
}

}  // namespace penstock::run
