#include "program.h"

#include <fcntl.h>
#include <unistd.h>

#include "penstock/plugin_host.h"

namespace penstock {

void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
}

std::vector<std::filesystem::path> plugin_search_path(
    const std::vector<std::string>& named) {
  std::vector<std::filesystem::path> folders;
  for (const std::string& folder : named) {
    if (!std::filesystem::is_directory(folder)) {
      throw Error(Code::kNotFound,
                  str("--plugin-path: there is no folder '", folder, "'"));
    }
    folders.emplace_back(folder);
  }
  return PluginHost::search_path(folders);
}

}  // namespace penstock
