#include "lib/gpu/cudart_api.h"

#include <cuda_runtime_api.h>

#include <array>
#include <map>
#include <string_view>

#include "lib/gpu/capturing.h"
#include "penstock/error.h"

namespace penstock::gpu {
namespace {

/// What a block may have of shared memory without asking for more.
constexpr unsigned kPlainShared = 48U << 10U;

Code code_of(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return Code::kRetry;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInitializationError:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

/// What to do about it; "" where nobody knows.
std::string_view hint_of(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "; close what else uses the card, or lower batch.max_sequences or "
             "the tokens of a request";
    case cudaErrorInsufficientDriver:
      return "; there is no NVIDIA driver, or it is older than CUDA 13: "
             "install one, or use --device cpu";
    case cudaErrorNoDevice:
      return "; the driver sees no card (CUDA_VISIBLE_DEVICES?): use --device "
             "cpu";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
      return "; this build has no code for the card: build with its "
             "architecture in PENSTOCK_CUDA_ARCHITECTURES";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorMisalignedAddress:
    case cudaErrorECCUncorrectable:
      return "; the card gives this process no more answers: start it anew";
    default:
      return "";
  }
}

void check(cudaError_t error, std::string_view call) {
  if (error == cudaSuccess) return;
  // What is not sticky must not be seen by who calls next.
  (void)cudaGetLastError();
  throw Error(code_of(error),
              str(call, ": ", cudaGetErrorName(error), " (", int{error},
                  "): ", cudaGetErrorString(error), hint_of(error)));
}

dim3 dim(const Dim3& of) { return {of.x, of.y, of.z}; }

class CudartApi final : public DeviceApi {
 public:
  explicit CudartApi(int index) : index_(index) {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    if (index < 0 || index >= count) {
      throw Error(Code::kUnavailable,
                  str("there is no cuda:", index, "; the driver sees ", count,
                      " cards, from cuda:0 on"));
    }
    select();
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking),
          "cudaStreamCreateWithFlags");
    for (cudaEvent_t& mark : marks_) {
      check(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming),
            "cudaEventCreateWithFlags");
    }
    constexpr int kFirstWithIt = 9;
    can_be_early_ = facts().major >= kFirstWithIt;
  }
  ~CudartApi() override {
    if (cudaSetDevice(index_) != cudaSuccess) return;
    for (cudaEvent_t mark : marks_) cudaEventDestroy(mark);
    cudaStreamDestroy(stream_);
  }

  DeviceFacts facts() override {
    cudaDeviceProp all{};
    check(cudaGetDeviceProperties(&all, index_), "cudaGetDeviceProperties");
    int driver = 0;
    check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    return {.name = all.name,
            .major = all.major,
            .minor = all.minor,
            .multiprocessors = all.multiProcessorCount,
            .has_bf16 = has_bf16(all.major),
            .has_groups = has_groups(all.major, all.minor),
            .driver = driver};
  }

  DeviceMemory memory() override {
    select();
    std::size_t free = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return {.free = static_cast<std::int64_t>(free),
            .total = static_cast<std::int64_t>(total)};
  }

  int blocks_at_once(const Kernel& kernel, int threads,
                     unsigned shared_bytes) override {
    select();
    int can_cooperate = 0;
    check(cudaDeviceGetAttribute(&can_cooperate, cudaDevAttrCooperativeLaunch,
                                 index_),
          "cudaDeviceGetAttribute");
    if (can_cooperate == 0) return 0;
    allow_shared(kernel, shared_bytes);
    int each = 0;
    check(
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel.device,
                                                      threads, shared_bytes),
        str("cudaOccupancyMaxActiveBlocksPerMultiprocessor of ", kernel.name));
    return each * facts().multiprocessors;
  }

  void* allocate(std::size_t bytes) override {
    capturing_.refuse("allocate");
    select();
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), str("cudaMalloc of ", bytes, " bytes"));
    return memory;
  }
  void free(void* memory) noexcept override { (void)cudaFree(memory); }

  void* allocate_pinned(std::size_t bytes) override {
    capturing_.refuse("allocate_pinned");
    select();
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault),
          str("cudaHostAlloc of ", bytes, " bytes"));
    return memory;
  }
  void free_pinned(void* memory) noexcept override {
    (void)cudaFreeHost(memory);
  }

  void copy_in(void* device, const void* host, std::size_t bytes) override {
    copy(device, host, bytes, cudaMemcpyHostToDevice);
  }
  void copy_out(void* host, const void* device, std::size_t bytes) override {
    copy(host, device, bytes, cudaMemcpyDeviceToHost);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    copy(to, from, bytes, cudaMemcpyDeviceToDevice);
  }
  void fill(void* device, std::uint8_t byte, std::size_t bytes) override {
    select();
    is_behind_kernel_ = false;
    check(cudaMemsetAsync(device, byte, bytes, stream_), "cudaMemsetAsync");
  }

  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override {
    select();
    allow_shared(kernel, geometry.shared_bytes);
    // A kernel behind a kernel may be brought to the card, and ask for its
    // weights, before that one ends: Block::wait_previous() is where it waits.
    cudaLaunchAttribute how_else{};
    const bool is_early = is_behind_kernel_ && can_be_early_;
    if (kernel.waits_for_blocks) {
      // All its blocks at once, or an error.
      how_else.id = cudaLaunchAttributeCooperative;
      how_else.val.cooperative = 1;
    } else {
      how_else.id = cudaLaunchAttributeProgrammaticStreamSerialization;
      how_else.val.programmaticStreamSerializationAllowed = 1;
    }
    cudaLaunchConfig_t how{};
    how.gridDim = dim(geometry.grid);
    how.blockDim = dim(geometry.block);
    how.dynamicSmemBytes = geometry.shared_bytes;
    how.stream = stream_;
    how.attrs = &how_else;
    how.numAttrs = kernel.waits_for_blocks || is_early ? 1 : 0;
    is_behind_kernel_ = !kernel.waits_for_blocks;
    // It is read alone; the runtime's type does not say so.
    void* argument = const_cast<std::byte*>(params.data());
    const cudaError_t error =
        cudaLaunchKernelExC(&how, kernel.device, &argument);
    if (error == cudaSuccess) return;
    check(error, str("launch of ", kernel.name, ", ", geometry.grid.x, " x ",
                     geometry.grid.y, " x ", geometry.grid.z, " blocks of ",
                     geometry.block.x, " threads, ", geometry.shared_bytes,
                     " bytes of shared memory"));
  }

  void begin_capture() override {
    capturing_.refuse("begin_capture");
    select();
    is_behind_kernel_ = false;
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    capturing_.begin();
  }
  Graph end_capture() override {
    capturing_.end();
    is_behind_kernel_ = false;
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    cudaGraphExec_t ready = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&ready, graph, 0);
    (void)cudaGraphDestroy(graph);
    check(error, "cudaGraphInstantiate");
    graphs_.emplace(++last_graph_, ready);
    return last_graph_;
  }
  void replay(Graph graph) override {
    select();
    is_behind_kernel_ = false;
    check(cudaGraphLaunch(graphs_.at(graph), stream_), "cudaGraphLaunch");
  }
  void destroy(Graph graph) noexcept override {
    const auto found = graphs_.find(graph);
    if (found == graphs_.end()) return;
    (void)cudaGraphExecDestroy(found->second);
    graphs_.erase(found);
  }

  void wait() override {
    capturing_.refuse("wait");
    select();
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  // CUDA would take it as a part of the graph, and wait_for() find no end.
  void mark(int which) override {
    capturing_.refuse("mark");
    select();
    is_behind_kernel_ = false;
    check(cudaEventRecord(marks_.at(static_cast<std::size_t>(which)), stream_),
          "cudaEventRecord");
  }
  void wait_for(int which) override {
    capturing_.refuse("wait_for");
    select();
    check(cudaEventSynchronize(marks_.at(static_cast<std::size_t>(which))),
          "cudaEventSynchronize");
  }

 private:
  /// A thread may drive several cards, and libtorch may have chosen another.
  void select() const { check(cudaSetDevice(index_), "cudaSetDevice"); }

  void copy(void* to, const void* from, std::size_t bytes,
            cudaMemcpyKind kind) {
    select();
    is_behind_kernel_ = false;
    check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "cudaMemcpyAsync");
  }

  void allow_shared(const Kernel& kernel, unsigned bytes) {
    if (bytes <= kPlainShared) return;
    unsigned& allowed = shared_[kernel.device];
    if (bytes <= allowed) return;
    check(cudaFuncSetAttribute(kernel.device,
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(bytes)),
          str(kernel.name, " needs ", bytes, " bytes of shared memory"));
    allowed = bytes;
  }

  int index_;
  cudaStream_t stream_ = nullptr;
  std::array<cudaEvent_t, kMarks> marks_{};
  Capturing capturing_;
  bool can_be_early_ = false;
  bool is_behind_kernel_ = false;  ///< what was queued last is a launch
  std::map<Graph, cudaGraphExec_t> graphs_;
  Graph last_graph_ = 0;
  std::map<const void*, unsigned> shared_;  ///< more than plain, by kernel
};

}  // namespace

std::unique_ptr<DeviceApi> open_cudart(int index,
                                       std::span<const Kernel* const> kernels) {
  auto api = std::make_unique<CudartApi>(index);
  const int driver = api->facts().driver;
  for (const Kernel* kernel : kernels) {
    // Who asks for it is told.
    if (!why_not_launched(*kernel, driver).empty()) continue;
    cudaFuncAttributes facts{};
    check(cudaFuncGetAttributes(&facts, kernel->device),
          str("loading ", kernel->name));
  }
  return api;
}

}  // namespace penstock::gpu
