#include "common/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <new>

#include "common/harmless.h"
#include "penstock/plugin_host.h"

namespace penstock {

void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
}

void leave(int code) {
  std::cout.flush();
  std::fflush(nullptr);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
  std::_Exit(code);
#else
  std::exit(code);  // NOLINT(concurrency-mt-unsafe): the only call
#endif
}

int complain(const std::string& program, const Error& error) {
  std::cerr << program << ": " << harmless(error.what()) << "\n";
  return static_cast<int>(error.code());
}

Error caught() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {Code::kRetry, "out of memory"};
  } catch (const std::exception& error) {
    return {Code::kInternal, error.what()};
  } catch (...) {
    return {Code::kInternal, "an exception of an unknown type"};
  }
}

void warn(const std::string& program,
          const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    std::cerr << program << ": warning: " << warning << "\n";
  }
}
int complain(const std::string& program) { return complain(program, caught()); }

std::int64_t peak_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::int64_t kib = 0;
    if (word == "VmHWM:" && in >> kib) return kib * 1024;
  }
  return 0;
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
