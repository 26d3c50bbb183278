#include "pipeline_new/new_plugin.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "penstock/plugin_host.h"
#include "pipeline_new/template_text.h"

namespace penstock::fresh {
namespace {

namespace fs = std::filesystem;

/// The folder that has bin/ with this program.
fs::path prefix() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return program.parent_path().parent_path();
}

/// templates/ beside bin/ in a build, share/penstock/templates when installed.
fs::path template_folder() {
  for (const fs::path& folder :
       {prefix() / "templates" / "plugin",
        prefix() / "share" / "penstock" / "templates" / "plugin"}) {
    if (fs::is_directory(folder)) return folder;
  }
  throw Error(Code::kNotFound,
              str("the templates are not beside this program: there is no ",
                  (prefix() / "share/penstock/templates/plugin").string()));
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    throw Error(Code::kNotFound, str("cannot read ", path.string()));
  }
  return text.str();
}

std::vector<NewFile> files_of(const Project& project) {
  const fs::path from = template_folder();
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<NewFile> files;
  for (const fs::path& path : paths) {
    const NewFile file{fs::relative(path, from), read(path)};
    for (NewFile& made : instances(file, project)) {
      files.push_back(std::move(made));
    }
  }
  return files;
}

void write_all(const fs::path& folder, const std::vector<NewFile>& files) {
  for (const NewFile& file : files) {
    const fs::path path = folder / file.path;
    fs::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    out.close();
    if (!out) {
      throw Error(Code::kRetry, str("cannot write ", path.string(), ": ",
                                    std::generic_category().message(errno)));
    }
  }
}

/// Two plugins of one name cannot be used together.
void check_free(const std::string& name) {
  for (const auto& plugin : PluginHost(PluginHost::search_path()).plugins()) {
    if (plugin.name != name) continue;
    throw Error(Code::kUsage, str("there is a plugin '", name, "' already, ",
                                  plugin.path.string(), "; take another name"));
  }
}

}  // namespace

std::string new_plugin(const PluginOptions& options) {
  check_plugin_name(options.name);
  const Project project{.plugin = options.name,
                        .stages = parse_stages(options.stages),
                        .penstock = prefix().string()};
  check_free(options.name);
  const fs::path folder =
      options.folder.empty() ? options.name : options.folder;
  const auto files = files_of(project);
  std::error_code failed;
  if (fs::exists(fs::symlink_status(folder, failed))) {
    throw Error(Code::kUsage,
                str("'", folder.string(),
                    "' is there already; name another with --folder"));
  }
  if (!fs::create_directory(folder, failed)) {
    throw Error(Code::kNotFound, str("cannot make the folder '",
                                     folder.string(), "': ", failed.message()));
  }
  write_all(folder, files);
  return str(folder.string(), ": ", files.size(), " files. Next:\n\n  cd ",
             folder.string(),
             "\n  cmake --preset default && cmake --build --preset default\n"
             "  ctest --preset default\n  ",
             (prefix() / "bin" / "pipeline-run").string(), " ", options.name,
             ".yaml --plugin-path build\n");
}

}  // namespace penstock::fresh
