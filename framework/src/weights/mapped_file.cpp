#include "penstock/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "penstock/error.h"

namespace penstock {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail(const std::filesystem::path& path, Code code,
                       const std::string& problem) {
  throw Error(code, str(path.string(), ": ", problem));
}

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a named pipe must fail below, not wait for a writer.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value() < 0) {
    fail(path, Code::kNotFound,
         "cannot open the weight file (" + reason() +
             "); check the path, or fetch the model: tools/models fetch NAME");
  }
  struct stat facts = {};
  if (fstat(file.value(), &facts) != 0) fail(path, Code::kData, reason());
  if (S_ISDIR(facts.st_mode)) {
    fail(path, Code::kData, "is a folder, expected a weight file");
  }
  if (!S_ISREG(facts.st_mode)) {
    fail(path, Code::kData, "is no regular file, expected a weight file");
  }
  if (facts.st_size == 0) return;
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* const start =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value(), /*offset=*/0);
  if (start == MAP_FAILED) {
    fail(path, Code::kRetry, "cannot map the file: " + reason());
  }
  start_ = start;
  size_ = size;
}

MappedFile::~MappedFile() {
  if (start_ != nullptr) munmap(start_, size_);
}

}  // namespace penstock
