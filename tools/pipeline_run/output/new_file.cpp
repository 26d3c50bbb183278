#include "pipeline_run/output/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "penstock/error.h"

namespace penstock::run {
namespace {

constexpr int kRights = 0666;  // less what the umask takes

}  // namespace

NewFile::NewFile(std::filesystem::path path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         kRights)) {
  if (descriptor_ < 0) fail(errno);
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

void NewFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
}

void NewFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void NewFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
}

void NewFile::fail(int number) const {
  throw Error(Code::kRetry, str("cannot write '", path_.string(), "': ",
                                std::generic_category().message(number)));
}

}  // namespace penstock::run
