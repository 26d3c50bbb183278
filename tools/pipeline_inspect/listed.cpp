#include "pipeline_inspect/listed.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace penstock::inspect {

Listed list_one(const PluginFacts& facts, const std::string& form,
                const Options& options) {
  Listed listed{.facts = facts, .answer = {}, .problem = {}};
  try {
    listed.answer = ask({.use = facts.name,
                         .form = form,
                         .folders = options.folders,
                         .patience = options.patience});
  } catch (const Error& error) {
    listed.problem = error;
  }
  return listed;
}

/// In a queue as wide as there are processors: more at once would only wait for
/// each other.
std::vector<Listed> list_all(const std::string& form, const Options& options) {
  const auto plugins = PluginHost(options.folders).plugins();
  std::vector<Listed> all(plugins.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < plugins.size(); i = next++) {
      all[i] = list_one(plugins[i], form, options);
    }
  };
  const std::size_t width = std::min<std::size_t>(
      plugins.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::future<void>> workers;
  for (std::size_t i = 0; i < width; ++i) {
    workers.push_back(std::async(std::launch::async, work));
  }
  for (auto& worker : workers) worker.get();
  return all;
}

}  // namespace penstock::inspect
