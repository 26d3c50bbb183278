#include "pipeline_new/files.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <system_error>

#include "penstock/error.h"

namespace penstock::fresh {

namespace fs = std::filesystem;

Draft::Draft(const std::string& text) {
  std::string name = fs::temp_directory_path() / "penstock_new_XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    throw Error(Code::kRetry, str("cannot make a folder like ", name));
  }
  folder_ = name;
  std::ofstream(path()) << text;
}

Draft::~Draft() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void check_is_free(const fs::path& path) {
  std::error_code failed;
  if (fs::exists(fs::symlink_status(path, failed))) {
    throw Error(Code::kUsage, str("'", path.string(),
                                  "' is there already; take another name"));
  }
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) throw Error(Code::kRetry, str("cannot write ", path.string()));
}

}  // namespace penstock::fresh
