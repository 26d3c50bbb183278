#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "penstock/error.h"

namespace penstock::fuzz {
namespace {

/// Longer complaints quote what they read.
constexpr std::size_t kMostWords = 1 << 16;

/// In memory where there is such a folder; gone when the process ends.
class Folder {
 public:
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    path_ = (std::filesystem::is_directory(memory)
                 ? memory
                 : std::filesystem::temp_directory_path()) /
            ("penstock_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::filesystem::path file_of(std::string_view bytes, const std::string& name) {
  static const Folder folder;
  auto path = folder.path() / name;
  // A new inode each time: nobody may still map the old one.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace penstock::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  try {
    penstock::fuzz::take({reinterpret_cast<const char*>(data), size});
  } catch (const penstock::Error& error) {
    if (error.text().empty() ||
        error.text().size() > penstock::fuzz::kMostWords ||
        error.code() == penstock::Code::kInternal) {
      std::fprintf(stderr, "bad complaint: %s\n", error.text().c_str());
      std::abort();
    }
  }
  return 0;
}
