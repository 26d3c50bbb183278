// A folder of a test's own, mode 0700, gone with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace penstock {

class TempFolder {
 public:
  TempFolder() {
    std::string name =
        std::filesystem::temp_directory_path() / "penstock_plugin_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name);
    path_ = std::filesystem::canonical(name);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// A copy of a fixture library, "good/toy", under another plugin name.
  std::filesystem::path add(const std::string& fixture,
                            const std::string& name) const {
    std::string file = fixture;
    file.replace(file.find('/'), 1, "/libpenstock_");
    std::filesystem::path to = path_ / ("libpenstock_" + name + ".so");
    std::filesystem::copy_file(
        std::filesystem::path(PENSTOCK_FIXTURE_PLUGINS) / (file + ".so"), to);
    std::filesystem::permissions(to, std::filesystem::perms(0755));
    return to;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace penstock
