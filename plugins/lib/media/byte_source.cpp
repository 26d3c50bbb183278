#include "lib/media/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "penstock/error.h"

namespace penstock::media {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(int file, std::int64_t size) : ByteSource(size), file_(file) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(file_); }

  std::int64_t read(std::int64_t at, std::uint8_t* to,
                    std::size_t size) const override {
    const ssize_t got = ::pread(file_, to, size, at);
    return got < 0 ? -errno : got;
  }

 private:
  int file_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::shared_ptr<const std::string> bytes)
      : ByteSource(static_cast<std::int64_t>(bytes->size())),
        bytes_(std::move(bytes)) {}

  std::int64_t read(std::int64_t at, std::uint8_t* to,
                    std::size_t size) const override {
    const auto begin = static_cast<std::size_t>(std::min(at, this->size()));
    const std::size_t count = std::min(size, bytes_->size() - begin);
    std::copy_n(bytes_->data() + begin, count, reinterpret_cast<char*>(to));
    return static_cast<std::int64_t>(count);
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

void check_size(const std::string& name, std::int64_t size,
                std::int64_t max_bytes) {
  if (size == 0) throw Error(Code::kData, str("'", name, "' is empty"));
  if (size > max_bytes) {
    throw Error(Code::kData, str("'", name, "' has ", size,
                                 " bytes; the limit is ", max_bytes));
  }
}

}  // namespace

std::unique_ptr<ByteSource> ByteSource::open_file(const std::string& path,
                                                  std::int64_t max_bytes) {
  if (path.find("://") != std::string::npos) {
    throw Error(Code::kData, str("'", path,
                                 "' is a URL; only local files are read: "
                                 "download it first"));
  }
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    throw Error(Code::kNotFound,
                str("cannot open '", path, "': ", std::strerror(errno)));
  }
  struct stat about {};
  const bool is_known = ::fstat(file, &about) == 0;
  auto source = std::make_unique<FileSource>(file, about.st_size);
  if (!is_known || !S_ISREG(about.st_mode)) {
    const char* what =
        S_ISDIR(about.st_mode) ? "a folder" : "a pipe or a device";
    throw Error(Code::kData,
                str("'", path, "' is ", what, ", not a media file"));
  }
  check_size(path, about.st_size, max_bytes);
  return source;
}

std::unique_ptr<ByteSource> ByteSource::of_bytes(
    const std::string& name, std::shared_ptr<const std::string> bytes,
    std::int64_t max_bytes) {
  auto source = std::make_unique<MemorySource>(std::move(bytes));
  check_size(name, source->size(), max_bytes);
  return source;
}

}  // namespace penstock::media
