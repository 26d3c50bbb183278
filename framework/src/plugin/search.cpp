#include "plugin/search.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>

#include "penstock/error.h"
#include "penstock/plugin_host.h"

namespace penstock {

namespace fs = std::filesystem;

namespace plugin {

namespace {

constexpr std::string_view kPrefix = "libpenstock_";
constexpr std::string_view kSuffix = ".so";
constexpr std::size_t kMaxName = 64;

std::vector<FoundLibrary> libraries_in(const fs::path& folder) {
  std::vector<FoundLibrary> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    const std::string name = plugin_name(entry.path());
    if (!name.empty()) found.push_back({.name = name, .path = entry.path()});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

/// libpenstock.so, or the program that it was linked into; empty: unknown.
fs::path own_library() {
  Dl_info info{};
  static const char kHere = 0;
  if (dladdr(&kHere, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code unknown;
  return fs::canonical(info.dli_fname, unknown);
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string plugin_name(const fs::path& library) {
  const std::string file = library.filename().string();
  if (file.size() <= kPrefix.size() + kSuffix.size() ||
      !file.starts_with(kPrefix) || !file.ends_with(kSuffix)) {
    return {};
  }
  return file.substr(kPrefix.size(),
                     file.size() - kPrefix.size() - kSuffix.size());
}

std::vector<FoundLibrary> find_libraries(const std::vector<fs::path>& folders) {
  std::vector<FoundLibrary> all;
  std::set<fs::path> seen;
  for (const fs::path& folder : folders) {
    std::error_code missing;
    const fs::path canonical = fs::canonical(folder, missing);
    if (missing || !seen.insert(canonical).second) continue;
    for (FoundLibrary& library : libraries_in(canonical)) {
      std::error_code nowhere;  // then opening it will say so
      const fs::path target = fs::canonical(library.path, nowhere);
      if (seen.insert(nowhere ? library.path : target).second) {
        all.push_back(std::move(library));
      }
    }
  }
  return all;
}

std::string describe_folders(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) {
    std::error_code unreadable;
    const fs::directory_iterator first(folder, unreadable);
    text += str(text.empty() ? "" : ", ", folder.string(),
                unreadable ? str(" (", unreadable.message(), ")") : "");
  }
  return text.empty() ? "no folder" : text;
}

}  // namespace plugin

std::vector<fs::path> PluginHost::search_path(
    const std::vector<fs::path>& first) {
  std::vector<fs::path> folders;
  const auto add = [&folders](const fs::path& folder) {
    fs::path plain = fs::absolute(folder).lexically_normal();
    if (!plain.has_filename()) plain = plain.parent_path();  // "/a/"
    if (std::find(folders.begin(), folders.end(), plain) == folders.end()) {
      folders.push_back(plain);
    }
  };
  for (const fs::path& folder : first) add(folder);
  // Read once, before any thread is started that could change it.
  const char* set = std::getenv("PENSTOCK_PLUGIN_PATH");
  std::string_view rest = set == nullptr ? "" : set;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (!folder.empty()) add(folder);
  }
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  if (!unknown) add(program.parent_path() / "../lib/penstock/plugins");
  const fs::path library = plugin::own_library();
  if (!library.empty()) add(library.parent_path() / "penstock/plugins");
  return folders;
}

}  // namespace penstock
