#include "gemma/cuda/library.h"

#include <dlfcn.h>

#include <string>
#include <string_view>

#include "penstock/abi.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

namespace fs = std::filesystem;

/// Who may write it may run code in this process.
void check_rights(const fs::path& path) {
  const fs::perms rights = fs::status(path).permissions();
  if ((rights & fs::perms::others_write) == fs::perms::none) return;
  throw Error(Code::kData, str(path.string(),
                               " may be written by anybody; "
                               "chmod o-w it"));
}

/// What dlopen() said, and what helps.
std::string why_not_opened(const std::string& said) {
  const bool is_runtime = said.find("libcudart") != std::string::npos;
  return said + (is_runtime ? "; install the CUDA 13 runtime, or take a "
                              "libtorch that has it beside itself, as "
                              "tools/setup's has"
                            : "");
}

}  // namespace

fs::path cuda_library_path() {
  Dl_info info{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): dladdr's way
  if (dladdr(reinterpret_cast<void*>(&cuda_library_path), &info) == 0) {
    return {};
  }
  const fs::path plugin = fs::absolute(info.dli_fname).lexically_normal();
  return plugin.parent_path().parent_path() / "libpenstock_gemma_cuda.so";
}

const CudaLibrary& open_cuda_library(const fs::path& path) {
  if (!fs::is_regular_file(path)) {
    throw Error(Code::kUnavailable,
                str(path.string(),
                    " is not there: this build has no CUDA engine; install "
                    "CUDA's nvcc and build with -DPENSTOCK_CUDA=AUTO"));
  }
  check_rights(path);
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* said = dlerror();
    throw Error(Code::kUnavailable,
                str("the CUDA engine does not load: ",
                    why_not_opened(said == nullptr ? path.string() : said)));
  }
  using Entry = const CudaLibrary* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, kCudaEntry));
  if (entry == nullptr) {
    throw Error(Code::kData, str(path.string(), " has no ", kCudaEntry, "()"));
  }
  const CudaLibrary* const found = entry();
  if (std::string_view(found->abi) != kAbiText) {
    throw Error(Code::kData, str(path.string(), " is of another build (",
                                 found->abi, ") than this plugin (", kAbiText,
                                 "); build both together"));
  }
  return *found;
}

}  // namespace penstock::gemma::cuda
