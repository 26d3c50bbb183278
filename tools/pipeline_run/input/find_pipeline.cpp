#include "pipeline_run/input/find_pipeline.h"

#include <algorithm>
#include <vector>

#include "penstock/params.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;

/// pipelines/ beside bin/ in a build, share/penstock/pipelines when installed.
std::vector<fs::path> folders() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  const fs::path prefix = program.parent_path().parent_path();
  return {prefix / "pipelines", prefix / "share" / "penstock" / "pipelines"};
}

std::vector<std::string> names_in(const std::vector<fs::path>& where) {
  std::vector<std::string> names;
  for (const fs::path& folder : where) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".yaml") {
        names.push_back(entry.path().filename().string());
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

fs::path find_pipeline(const std::string& name) {
  if (fs::exists(name)) return name;
  const bool is_bare = !name.empty() && name.find('/') == std::string::npos;
  const auto where = folders();
  if (is_bare) {
    for (const fs::path& folder : where) {
      for (const char* suffix : {"", ".yaml"}) {
        fs::path path = folder / (name + suffix);
        if (fs::exists(path)) return path;
      }
    }
  }
  const auto known = names_in(where);
  std::string list;
  for (const auto& each : known) list += (list.empty() ? "" : ", ") + each;
  throw Error(Code::kNotFound,
              str("there is no pipeline file '", name, "'",
                  is_bare ? suggestion(name, known) : "",
                  list.empty() ? "" : "; those that came along: " + list));
}

CompositionFile load_named(const std::string& name, StageCatalog& catalog,
                           const std::vector<Override>& overrides) {
  auto all = overrides_from_environment();
  all.insert(all.end(), overrides.begin(), overrides.end());
  const auto find_step = [](const std::string& step, const fs::path& folder) {
    const auto beside = folder / step;
    return fs::exists(beside) ? beside : find_pipeline(step);
  };
  return load_file(find_pipeline(name), catalog, all, find_step);
}

}  // namespace penstock::run
