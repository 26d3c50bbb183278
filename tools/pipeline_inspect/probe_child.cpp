#include "pipeline_inspect/probe_child.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <utility>

#include "penstock/plugin_host.h"
#include "pipeline_inspect/describe.h"
#include "pipeline_inspect/gpu_uses.h"
#include "pipeline_inspect/probe.h"

namespace penstock::inspect {

namespace {

/// What a broken plugin may cost: no core file, no endless output.
void set_limits() {
  constexpr rlim_t kMostBytes = 64ULL << 20U;
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  const rlimit output{.rlim_cur = kMostBytes, .rlim_max = kMostBytes};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_FSIZE, &output);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Starting this program is not the plugin's.
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto most = static_cast<rlim_t>(
      used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + kMostSeconds);
  const rlimit processor{.rlim_cur = most, .rlim_max = most + 1};
  setrlimit(RLIMIT_CPU, &processor);
}

void write_all(int descriptor, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote =
        write(descriptor, text.data() + done, text.size() - done);
    if (wrote <= 0) _exit(static_cast<int>(Code::kRetry));
    done += static_cast<std::size_t>(wrote);
  }
}

/// Of all plugins that can be opened.
std::vector<StageSpec> every_stage(PluginHost& host) {
  std::vector<StageSpec> all;
  for (const PluginFacts& plugin : host.plugins()) {
    try {
      const auto& its = host.stages(plugin.name);
      all.insert(all.end(), its.begin(), its.end());
    } catch (const Error&) {
      continue;  // told of by the list of plugins
    }
  }
  return all;
}

std::string describe(const Question& question) {
  PluginHost host(question.folders);
  std::vector<StageSpec> stages;
  if (question.use == kEveryPlugin) {
    stages = every_stage(host);
  } else if (question.use.find('.') != std::string::npos) {
    stages.push_back(host.find(question.use));
  } else {
    stages = host.stages(question.use);
  }
  for (const std::string& warning : host.warnings()) {
    write_all(kWarnings, warning + "\n");
  }
  if (question.form == "lines") return stage_lines(stages);
  if (question.form == "gpus") {
    return gpu_uses_json(stages, find_gpus()).dump();
  }
  std::string text;
  auto list = nlohmann::ordered_json::array();
  for (const StageSpec& stage : stages) {
    list.push_back(stage_json(stage));
    text += (text.empty() ? "" : "\n") + stage_text(stage);
  }
  return question.form == "json" ? list.dump() : text;
}

}  // namespace

void answer(const std::vector<std::string>& arguments) {
  set_limits();
  int status = 0;
  std::string text;
  try {
    Question question{
        .use = arguments.at(1), .form = arguments.at(0), .folders = {}};
    for (std::size_t i = 2; i < arguments.size(); ++i) {
      question.folders.emplace_back(arguments[i]);
    }
    text = describe(question);
  } catch (const Error& error) {
    status = static_cast<int>(error.code());
    text = error.what();
  } catch (const std::exception& error) {
    status = static_cast<int>(Code::kInternal);
    text = error.what();
  }
  write_all(kResult, text);
  _exit(status);  // static destructors of a plugin are not asked for
}

}  // namespace penstock::inspect
