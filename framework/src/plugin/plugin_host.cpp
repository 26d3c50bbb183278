#include "penstock/plugin_host.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/quote.h"
#include "penstock/plugin.h"
#include "plugin/library.h"
#include "plugin/search.h"

namespace penstock {

namespace fs = std::filesystem;

namespace {

using plugin::FoundLibrary;

/// "a, b", or "none".
std::string list_of(const std::vector<std::string>& words) {
  return words.empty() ? "none" : joined(words);
}

std::string duplicate_problem(const FoundLibrary& library,
                              const std::vector<FoundLibrary>& all) {
  for (const FoundLibrary& other : all) {
    if (other.name != library.name || other.path == library.path) continue;
    return str("there are two of this name on the search path, the other is ",
               other.path.string(), "; remove one, or name fewer folders");
  }
  return {};
}

PluginFacts inspect(const FoundLibrary& library,
                    const std::vector<FoundLibrary>& all) {
  PluginFacts facts{
      .path = library.path, .name = library.name, .abi = {}, .problem = {}};
  try {
    facts = inspect_plugin(library.path);
  } catch (const Error& error) {
    facts.problem = error.text();
  }
  const std::string duplicate = duplicate_problem(library, all);
  if (!duplicate.empty()) facts.problem = duplicate;
  return facts;
}

Error unknown_plugin(const std::string& name,
                     const std::vector<FoundLibrary>& all,
                     const std::vector<fs::path>& folders) {
  std::vector<std::string> known;
  known.reserve(all.size());
  for (const FoundLibrary& library : all) known.push_back(library.name);
  const std::string hint = suggestion(name, known);
  return {Code::kData,
          str("there is no plugin ", shown(name), hint.empty() ? ";" : hint,
              " known plugins: ", list_of(known),
              "; searched: ", plugin::describe_folders(folders))};
}

Error unknown_stage(const std::string& use, const std::string& plugin,
                    const std::vector<StageSpec>& specs) {
  std::vector<std::string> known;
  known.reserve(specs.size());
  for (const StageSpec& spec : specs) known.push_back(spec.name);
  const std::string hint = suggestion(use, known);
  return {Code::kData,
          str("plugin '", plugin, "' has no stage ", shown(use),
              hint.empty() ? ";" : hint, " its stages: ", list_of(known))};
}

}  // namespace

struct PluginHost::Impl {
  explicit Impl(std::vector<fs::path> search) : folders(std::move(search)) {}

  /// Opens it on first use; what went wrong is tried again the next time.
  const std::vector<StageSpec>& open(const std::string& name) {
    const auto known = opened.find(name);
    if (known != opened.end()) return known->second->specs();
    const auto all = plugin::find_libraries(folders);
    const auto library =
        std::find_if(all.begin(), all.end(),
                     [&name](const auto& each) { return each.name == name; });
    if (library == all.end()) throw unknown_plugin(name, all, folders);
    const PluginFacts facts = inspect(*library, all);
    if (!facts.problem.empty()) throw plugin::unusable(facts, facts.problem);
    const auto added =
        opened.emplace(name, plugin::open_plugin(facts, warnings));
    return added.first->second->specs();
  }

  std::vector<fs::path> folders;
  std::mutex mutex;  // guards what follows
  std::vector<std::string> warnings;
  std::map<std::string, std::unique_ptr<Registry>> opened;
};

PluginHost::PluginHost(std::vector<fs::path> folders)
    : impl_(std::make_unique<Impl>(std::move(folders))) {}

PluginHost::~PluginHost() = default;

const StageSpec& PluginHost::find(const std::string& use) {
  const std::size_t dot = use.find('.');
  if (dot == std::string::npos) {
    throw Error(Code::kData,
                str(shown(use), " does not name a stage; write plugin.stage"));
  }
  const std::string plugin = use.substr(0, dot);
  const std::lock_guard lock(impl_->mutex);
  const auto& specs = impl_->open(plugin);
  const auto spec =
      std::find_if(specs.begin(), specs.end(), [&use](const auto& each) {
        return each.name == use || each.former == use;
      });
  if (spec == specs.end()) throw unknown_stage(use, plugin, specs);
  return *spec;
}

std::vector<const StageSpec*> PluginHost::known() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<const StageSpec*> all;
  for (const auto& [name, registry] : impl_->opened) {
    for (const StageSpec& spec : registry->specs()) all.push_back(&spec);
  }
  return all;
}

std::vector<PluginFacts> PluginHost::plugins() const {
  const auto all = plugin::find_libraries(impl_->folders);
  std::vector<PluginFacts> facts;
  facts.reserve(all.size());
  for (const FoundLibrary& library : all)
    facts.push_back(inspect(library, all));
  return facts;
}

const std::vector<StageSpec>& PluginHost::stages(const std::string& plugin) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->open(plugin);
}

std::vector<std::string> PluginHost::warnings() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->warnings;
}

}  // namespace penstock
