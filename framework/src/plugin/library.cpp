#include "plugin/library.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <deque>
#include <exception>
#include <mutex>

#include "penstock/plugin.h"
#include "plugin/inspect.h"

namespace penstock::plugin {

namespace {

using Library = boost::dll::shared_library;

// Leaked on purpose: nothing may be unloaded, not even at exit.
const Library& keep(Library library) {
  // NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): it is kept
  static std::mutex& mutex = *new std::mutex;
  static std::deque<Library>& kept = *new std::deque<Library>;
  // NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
  const std::lock_guard lock(mutex);
  return kept.emplace_back(std::move(library));
}

const Library& load(const PluginFacts& facts) {
  Library library;
  std::error_code failed;
  // rtld_now: a missing symbol shows here, not in the middle of a run.
  library.load(
      facts.path, failed,
      boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (failed) {
    const char* reason = dlerror();
    throw unusable(
        facts, str("it cannot be opened: ",
                   reason == nullptr ? failed.message() : std::string(reason),
                   "; link it with -Wl,-z,defs to see at build time what it "
                   "lacks, or ",
                   build_advice()));
  }
  return keep(std::move(library));
}

/// The second look: a note can be copied from elsewhere.
void check_entry(const PluginFacts& facts, const PluginEntry* entry) {
  if (entry == nullptr || entry->abi == nullptr || entry->name == nullptr ||
      entry->add_stages == nullptr) {
    throw unusable(facts,
                   "its 'penstock_plugin' returns an incomplete entry; "
                   "use PENSTOCK_PLUGIN(...) instead of writing it");
  }
  const std::string problem = abi_problem(entry->abi);
  if (!problem.empty()) throw unusable(facts, problem);
  if (entry->name != facts.name) {
    throw unusable(facts, str("it calls itself '", entry->name,
                              "', not as its file is named; rename the file to "
                              "libpenstock_",
                              entry->name, ".so"));
  }
}

std::unique_ptr<Registry> collect_stages(const PluginFacts& facts,
                                         const PluginEntry& entry) {
  auto registry = std::make_unique<Registry>(facts.name);
  const auto failed = [&facts](const std::string& reason) {
    return unusable(facts, str("it could not add its stages: ", reason,
                               "; that is for the plugin's author to mend"));
  };
  try {
    entry.add_stages(*registry);
  } catch (const Error& error) {
    throw failed(error.text());
  } catch (const std::exception& error) {
    throw failed(error.what());
  } catch (...) {
    throw failed("it threw what is no std::exception");
  }
  if (registry->specs().empty()) throw failed("it adds none");
  return registry;
}

}  // namespace

Error unusable(const PluginFacts& facts, const std::string& problem) {
  return {Code::kInternal,
          str("plugin '", facts.name, "' (", facts.path.string(),
              ") cannot be used: ", problem)};
}

std::unique_ptr<Registry> open_plugin(const PluginFacts& facts) {
  const Library& library = load(facts);
  constexpr const char* kEntry = "penstock_plugin";
  if (!library.has(kEntry)) {
    throw unusable(facts, str("it does not export '", kEntry,
                              "': write PENSTOCK_PLUGIN(...) in one of its "
                              "files"));
  }
  const PluginEntry* entry = library.get<const PluginEntry*()>(kEntry)();
  check_entry(facts, entry);
  return collect_stages(facts, *entry);
}

}  // namespace penstock::plugin
