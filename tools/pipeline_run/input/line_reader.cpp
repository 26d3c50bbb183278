#include "pipeline_run/input/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "penstock/error.h"

namespace penstock::run {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;

std::string reason() { return std::generic_category().message(errno); }

int open_lines(const std::string& path) {
  const std::string name = path == "-" ? "stdin" : "'" + path + "'";
  const int descriptor =
      path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(Code::kNotFound, str("cannot read ", name, ": ", reason()));
  }
  struct stat about {};
  if (fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode)) {
    if (path != "-") close(descriptor);
    throw Error(Code::kNotFound,
                str("cannot read ", name, ": it is a folder, expected lines"));
  }
  return descriptor;
}

}  // namespace

LineReader::LineReader(const std::string& path, const Stop& stop)
    : name_(path == "-" ? "stdin" : path),
      stop_(stop),
      descriptor_(open_lines(path)) {}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

std::string LineReader::place() const { return str(name_, ", line ", number_); }

/// More bytes into buffer_; false: there are none, or a stop.
bool LineReader::fill() {
  buffer_.erase(0, used_);
  used_ = 0;
  std::array<pollfd, 2> wait{pollfd{descriptor_, POLLIN, 0},
                             pollfd{stop_.descriptor(), POLLIN, 0}};
  while (!is_over_) {
    (void)poll(wait.data(), wait.size(), /*timeout=*/-1);
    if (stop_.is_requested()) break;
    const std::size_t had = buffer_.size();
    buffer_.resize(had + kBlock);
    const ssize_t got = read(descriptor_, buffer_.data() + had, kBlock);
    const int error = errno;
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) return true;
    if (got < 0 && (error == EINTR || error == EAGAIN)) continue;
    is_over_ = true;
    if (got < 0) {
      buffer_.clear();
      throw Error(Code::kRetry,
                  "cannot read on: " + std::generic_category().message(error));
    }
  }
  is_over_ = true;
  return false;
}

std::optional<std::string> LineReader::next() {
  ++number_;
  bool is_too_long = false;
  for (std::size_t looked = 0;;) {
    const std::size_t end = buffer_.find('\n', used_ + looked);
    const bool is_whole = end != std::string::npos;
    const std::size_t size = (is_whole ? end : buffer_.size()) - used_;
    is_too_long |= size > kMostBytes;
    if (is_whole) {
      std::string line = buffer_.substr(used_, is_too_long ? 0 : size);
      used_ = end + 1;
      if (!is_too_long) return line;
      break;
    }
    looked = size;
    if (is_too_long) {  // keep no more of it
      used_ = buffer_.size();
      looked = 0;
    }
    if (!fill()) {
      if (stop_.is_requested()) return std::nullopt;
      if (is_too_long) break;
      if (buffer_.empty()) return std::nullopt;
      return std::exchange(buffer_, {});
    }
  }
  throw Error(Code::kData,
              str("the line is longer than ", kMostBytes >> 20U, " MiB"));
}

}  // namespace penstock::run
