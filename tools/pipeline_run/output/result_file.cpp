#include "pipeline_run/output/result_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

namespace penstock::run {
namespace {

std::string reason() { return std::generic_category().message(errno); }

int open_results(const std::string& path, bool resume) {
  const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC;
  const int file = open(path.c_str(), resume ? flags : flags | O_EXCL, 0666);
  if (file < 0 && errno == EEXIST) {
    throw Error(Code::kUsage, str("'", path,
                                  "' is there already; go on with --resume, or "
                                  "name another file"));
  }
  if (file < 0) {
    throw Error(Code::kRetry, str("cannot write '", path, "': ", reason()));
  }
  struct stat about {};
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(file);
    throw Error(Code::kUsage,
                str("--output: '", path,
                    "' is no regular file; print to stdout with --json"));
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    close(file);
    throw Error(Code::kRetry,
                str("'", path, "' is being written by another process"));
  }
  return file;
}

}  // namespace

ResultFile::ResultFile(const std::string& path, bool resume)
    : path_(path), descriptor_(open_results(path, resume)) {
  try {
    read_done();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

ResultFile::~ResultFile() { close(descriptor_); }

void ResultFile::read_done() {
  std::array<char, 1 << 16> block{};
  std::string line;  // the one that is being read
  std::string last;  // the last whole one
  off_t whole = 0;   // bytes of whole lines
  off_t size = 0;
  for (;;) {
    const ssize_t got = pread(descriptor_, block.data(), block.size(), size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(Code::kRetry, str("cannot read '", path_, "': ", reason()));
    }
    if (got == 0) break;
    for (ssize_t i = 0; i < got; ++i) {
      const char byte = block.at(static_cast<std::size_t>(i));
      ++size;
      if (byte != '\n') {
        line += byte;
        continue;
      }
      last.swap(line);
      line.clear();
      whole = size;
      ++done_;
    }
  }
  if (done_ > 0) {
    const auto json = nlohmann::json::parse(last, nullptr, false);
    const char* key = json.contains("custom_id") ? "custom_id" : "id";
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      throw Error(Code::kData, str("'", path_, "', line ", done_,
                                   " is no result of a run with --output"));
    }
    last_id_ = json[key];
  }
  if (whole < size && ftruncate(descriptor_, whole) != 0) {
    throw Error(Code::kRetry, str("cannot write '", path_, "': ", reason()));
  }
}

void ResultFile::skip_done(Inputs& inputs) const {
  std::string id;
  for (std::size_t i = 0; i < done_; ++i) {
    const auto input = inputs.next();
    if (!input) {
      throw Error(Code::kData,
                  str("'", path_, "' has ", done_, " results, the input only ",
                      i, " requests; is it another job's?"));
    }
    id = input->request.id;
  }
  if (id != last_id_) {
    throw Error(Code::kData,
                str("'", path_, "', line ", done_, " is of request '", last_id_,
                    "', the input has '", id, "' there; is it another job's?"));
  }
  if (inputs.count) *inputs.count -= done_;
}

void ResultFile::sync() const {
  if (fsync(descriptor_) != 0) {
    throw Error(Code::kRetry, str("cannot write '", path_, "': ", reason()));
  }
}

}  // namespace penstock::run
