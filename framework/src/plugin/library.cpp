#include "plugin/library.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <deque>
#include <exception>
#include <mutex>

#include "penstock/plugin.h"
#include "plugin/float_state.h"
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

/// The words of the exception that is being handled.
std::string thrown_text() {
  try {
    throw;
  } catch (const Error& error) {
    return error.text();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "it threw what is no std::exception";
  }
}

Error authors_fault(const PluginFacts& facts, const std::string& what) {
  return unusable(facts, str(what, thrown_text(),
                             "; that is for the plugin's author to mend"));
}

/// What dlopen() said, and what helps.
std::string open_problem(const PluginFacts& facts, const std::string& reason) {
  const bool lacks_library =
      reason.find("cannot open shared object file") != std::string::npos;
  return str("it cannot be opened: ", reason,
             lacks_library
                 ? str("; see what else it lacks: ldd ", facts.path.string())
                 : str("; link it with -Wl,-z,defs to see at build time what "
                       "it lacks, or ",
                       build_advice()));
}

/// Runs its static constructors, so it may throw what they throw; the header
/// says of dlopen() that it throws nothing, and a call by that name would end
/// the process.
void open_library(const PluginFacts& facts) {
  // Never constant to the compiler, which would see the name again.
  void* (*const volatile open)(const char*, int) = dlopen;
  const void* handle = nullptr;
  try {
    // RTLD_NOW: a missing symbol shows here, not in the middle of a run.
    handle = open(facts.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  } catch (...) {
    throw authors_fault(facts, "a static constructor of it threw: ");
  }
  if (handle != nullptr) return;
  const char* reason = dlerror();
  throw unusable(facts,
                 open_problem(facts, reason == nullptr ? "it is not said why"
                                                       : std::string(reason)));
}

const Library& load(const PluginFacts& facts,
                    std::vector<std::string>& warnings) {
  const KeptFloatState kept;
  open_library(facts);
  Library library(facts.path, boost::dll::load_mode::rtld_now |
                                  boost::dll::load_mode::rtld_local);
  if (kept.has_changed()) {
    warnings.push_back(
        str("plugin '", facts.name, "' (", facts.path.string(),
            ") changed how this process computes with floating point when it "
            "was opened; that was undone. Link it without -ffast-math and "
            "-Ofast"));
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
  constexpr const char* kFailed = "it could not add its stages: ";
  try {
    entry.add_stages(*registry);
    if (registry->specs().empty()) throw Error(Code::kInternal, "it adds none");
  } catch (...) {
    throw authors_fault(facts, kFailed);
  }
  return registry;
}

}  // namespace

Error unusable(const PluginFacts& facts, const std::string& problem) {
  return {Code::kInternal,
          str("plugin '", facts.name, "' (", facts.path.string(),
              ") cannot be used: ", problem)};
}

std::unique_ptr<Registry> open_plugin(const PluginFacts& facts,
                                      std::vector<std::string>& warnings) {
  const Library& library = load(facts, warnings);
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
