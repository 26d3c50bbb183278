#include "tests/plugins/lib/gpu/fake_cudart.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

namespace {

// What a driver would know of its one card.
struct State {
  std::vector<std::string> calls;
  std::vector<std::function<void()>> captured;
  bool is_capturing = false, fails_graph = false;
  int driver = 13000;
  const void* unknown = nullptr;
  int major = 9, minor = 0;
  std::set<const void*> foreign;
  std::vector<const void*> loaded;
};

State& state() {
  static State all;
  return all;
}

/// Anything but null.
template <class Handle>
Handle handle() {
  static char any;
  return reinterpret_cast<Handle>(&any);
}

cudaError_t queue(const char* name, std::function<void()> work) {
  state().calls.emplace_back(name);
  if (state().is_capturing) {
    state().captured.push_back(std::move(work));
  } else {
    work();
  }
  return cudaSuccess;
}

cudaError_t note(const char* name) {
  state().calls.emplace_back(name);
  return cudaSuccess;
}

}  // namespace

namespace penstock::gpu {

std::vector<std::string> take_cuda_calls() {
  return std::exchange(state().calls, {});
}
void fail_next_graph() { state().fails_graph = true; }
void set_driver(int cuda, const void* large) {
  state().driver = cuda;
  state().unknown = large;
}
void set_compute_capability(int major, int minor,
                            const std::set<const void*>& foreign) {
  state().major = major;
  state().minor = minor;
  state().foreign = foreign;
}
std::vector<const void*> take_loaded() {
  return std::exchange(state().loaded, {});
}

}  // namespace penstock::gpu

extern "C" {

cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t /*error*/) { return "cudaErrorFake"; }
const char* cudaGetErrorString(cudaError_t /*error*/) { return "a fake"; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int /*device*/) { return cudaSuccess; }
cudaError_t cudaDriverGetVersion(int* version) {
  *version = state().driver;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* all, int /*device*/) {
  *all = {};
  all->major = state().major;
  all->minor = state().minor;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which,
                                   int /*device*/) {
  *value = which == cudaDevAttrComputeCapabilityMajor   ? state().major
           : which == cudaDevAttrComputeCapabilityMinor ? state().minor
                                                        : 1;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(
    int* blocks, const void* /*kernel*/, int /*threads*/, size_t /*shared*/) {
  *blocks = 1;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = size_t{1} << 30U;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned /*flags*/) {
  *out = handle<cudaStream_t>();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t /*stream*/) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t /*stream*/) {
  return note("cudaStreamSynchronize");
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned /*flags*/) {
  *out = handle<cudaEvent_t>();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t /*event*/) { return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t /*event*/, cudaStream_t /*stream*/) {
  return queue("cudaEventRecord", [] {});
}
cudaError_t cudaEventSynchronize(cudaEvent_t /*event*/) {
  return note("cudaEventSynchronize");
}

cudaError_t cudaMalloc(void** out, size_t bytes) {
  *out = std::malloc(bytes);
  return note("cudaMalloc");
}
cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** out, size_t bytes, unsigned /*flags*/) {
  *out = std::malloc(bytes);
  return note("cudaHostAlloc");
}
cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                            cudaMemcpyKind /*kind*/, cudaStream_t /*stream*/) {
  return queue("cudaMemcpyAsync", [=] { std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes,
                            cudaStream_t /*stream*/) {
  return queue("cudaMemsetAsync", [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* /*how*/,
                                const void* /*kernel*/, void** /*arguments*/) {
  return queue("cudaLaunchKernelExC", [] {});
}
cudaError_t cudaFuncSetAttribute(const void* /*kernel*/,
                                 cudaFuncAttribute /*which*/, int /*value*/) {
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void* kernel) {
  *out = {};
  if (state().foreign.contains(kernel)) return cudaErrorNoKernelImageForDevice;
  state().loaded.push_back(kernel);
  const bool is_known = kernel == nullptr || kernel != state().unknown;
  return is_known ? cudaSuccess : cudaErrorNotSupported;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t /*stream*/,
                                   cudaStreamCaptureMode /*mode*/) {
  state().is_capturing = true;
  state().captured.clear();
  return note("cudaStreamBeginCapture");
}
cudaError_t cudaStreamEndCapture(cudaStream_t /*stream*/, cudaGraph_t* out) {
  state().is_capturing = false;
  *out = handle<cudaGraph_t>();
  return note("cudaStreamEndCapture");
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t /*graph*/,
                                 unsigned long long /*flags*/) {
  if (std::exchange(state().fails_graph, false)) {
    return cudaErrorMemoryAllocation;
  }
  *out = handle<cudaGraphExec_t>();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t /*graph*/) { return cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t /*graph*/,
                            cudaStream_t /*stream*/) {
  for (const auto& work : state().captured) work();
  return note("cudaGraphLaunch");
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t /*graph*/) {
  return cudaSuccess;
}

}  // extern "C"
