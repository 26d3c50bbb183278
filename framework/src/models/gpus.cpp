#include "penstock/gpus.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "penstock/error.h"

#ifdef PENSTOCK_CUDA
#include <ATen/detail/CUDAHooksInterface.h>
#endif

namespace penstock {
namespace {

/// A library that is opened where it is, and its functions by name.
class Library {
 public:
  explicit Library(const char* name) : handle_(dlopen(name, RTLD_LAZY)) {}
  [[nodiscard]] bool is_here() const { return handle_ != nullptr; }
  /// Calls it; -1 where it is not there.
  template <class... Parameters>
  int call(const char* name, Parameters... parameters) const {
    if (handle_ == nullptr) return -1;
    using Function = int (*)(Parameters...);
    const auto function = reinterpret_cast<Function>(dlsym(handle_, name));
    return function == nullptr ? -1 : function(parameters...);
  }

 private:
  void* handle_;  // stays open: drivers leave threads behind
};

/// PCI vendor 10de, class 03: a display controller. Without a driver nothing
/// else knows of it.
bool has_card() {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const auto& device :
       fs::directory_iterator("/sys/bus/pci/devices", error)) {
    std::string vendor;
    std::string kind;
    std::ifstream(device.path() / "vendor") >> vendor;
    std::ifstream(device.path() / "class") >> kind;
    if (vendor == "0x10de" && kind.starts_with("0x03")) return true;
  }
  return false;
}

/// CUresult of cuInit, as cuda.h has them.
std::string why_not_started(int result) {
  switch (result) {
    case 34:
      return "the libcuda.so.1 that was found is the toolkit's stub, no driver";
    case 100:
      return "the NVIDIA driver finds no GPU (see CUDA_VISIBLE_DEVICES and "
             "nvidia-smi)";
    case 803:
      return "the NVIDIA driver's kernel module and its libcuda.so.1 are of "
             "different versions; restart the machine, or install them anew";
    case 804:
      return "the compatibility libcuda.so.1 that was found does not support "
             "this GPU; take it out of the library path";
    default:
      return str("the NVIDIA driver does not start (cuInit: ", result, ")");
  }
}

using Uuid = std::array<unsigned char, 16>;

/// "GPU-" and the bytes in groups of 4, 2, 2, 2, 6.
std::string shown(const Uuid& uuid) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out = "GPU-";
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[uuid[i] >> 4U];
    out += kHex[uuid[i] & 15U];
  }
  return out;
}

int attribute(const Library& cuda, int which, int device) {
  int value = 0;
  cuda.call("cuDeviceGetAttribute", &value, which, device);
  return value;
}

Gpu gpu_of(const Library& cuda, int device) {
  constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  constexpr int kMinor = 76;
  std::array<char, 128> name{};
  Uuid uuid{};
  std::size_t bytes = 0;
  cuda.call("cuDeviceGetName", name.data(), static_cast<int>(name.size() - 1),
            device);
  if (cuda.call("cuDeviceGetUuid_v2", uuid.data(), device) != 0) {
    cuda.call("cuDeviceGetUuid", uuid.data(), device);
  }
  cuda.call("cuDeviceTotalMem_v2", &bytes, device);
  return {.name = name.data(),
          .uuid = shown(uuid),
          .major = attribute(cuda, kMajor, device),
          .minor = attribute(cuda, kMinor, device),
          .bytes = static_cast<std::int64_t>(bytes)};
}

/// Of NVML, which needs no context on the GPU to say what is free.
struct NvmlMemory {
  unsigned long long total = 0, free = 0, used = 0;
};

void ask_nvml(Gpus& gpus) {
  const Library nvml("libnvidia-ml.so.1");
  if (nvml.call("nvmlInit_v2") != 0) return;
  std::array<char, 96> version{};
  if (nvml.call("nvmlSystemGetDriverVersion", version.data(),
                static_cast<unsigned>(version.size() - 1)) == 0) {
    gpus.driver = version.data();
  }
  for (Gpu& gpu : gpus.all) {
    void* device = nullptr;
    NvmlMemory memory;
    if (nvml.call("nvmlDeviceGetHandleByUUID", gpu.uuid.c_str(), &device) ==
            0 &&
        nvml.call("nvmlDeviceGetMemoryInfo", device, &memory) == 0) {
      gpu.free_bytes = static_cast<std::int64_t>(memory.free);
    }
  }
  nvml.call("nvmlShutdown");
}

std::string shown_cuda(int version) {
  return str(version / 1000, ".", version % 1000 / 10);
}

}  // namespace

Gpus find_gpus() {
  Gpus out;
  const Library cuda("libcuda.so.1");
  if (!cuda.is_here()) {
    out.why_none = has_card() ? "an NVIDIA GPU is here, and no driver for it "
                                "(libcuda.so.1)"
                              : "no NVIDIA driver is here (libcuda.so.1)";
    return out;
  }
  const int result = cuda.call("cuInit", 0U);
  cuda.call("cuDriverGetVersion", &out.cuda);
  int count = 0;
  if (result == 0) cuda.call("cuDeviceGetCount", &count);
  if (result != 0 || count <= 0) {
    out.why_none = why_not_started(result == 0 ? 100 : result);
    return out;
  }
  for (int i = 0; i < count; ++i) {
    int device = 0;
    if (cuda.call("cuDeviceGet", &device, i) != 0) break;
    out.all.push_back(gpu_of(cuda, device));
  }
  ask_nvml(out);
  return out;
}

std::string why_no_driver(const Gpus& gpus, int runtime) {
  if (gpus.all.empty()) return gpus.why_none;
  // A driver runs what a later runtime of its major version compiled.
  if (gpus.cuda >= runtime / 1000 * 1000) return "";
  return str("the driver runs CUDA ", shown_cuda(gpus.cuda),
             " at most, and this build needs ", shown_cuda(runtime),
             "; install a newer driver");
}

std::string why_unusable(const Gpus& gpus) {
  if (gpus.all.empty()) return gpus.why_none;
#ifdef PENSTOCK_CUDA
  const auto& cuda = at::detail::getCUDAHooks();
  if (!cuda.hasCUDART()) return "this build's libtorch has no CUDA";
  const auto runtime = static_cast<int>(cuda.versionCUDART());
  const std::string why = why_no_driver(gpus, runtime);
  if (!why.empty()) return why;
  return at::hasCUDA() ? "" : "libtorch finds no card that it can use";
#else
  return str("the driver is here (CUDA ", shown_cuda(gpus.cuda),
             "), but this build's libtorch has no CUDA; build with "
             "-DPENSTOCK_CUDA=ON and a libtorch that has it");
#endif
}

}  // namespace penstock
