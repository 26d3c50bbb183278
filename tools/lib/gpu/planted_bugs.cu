// Four bugs, one for each tool of compute-sanitizer, and none: tools/gpu_check
// believes a tool only after it has found its own. usage: planted_bugs WHICH
#include <cstdio>
#include <cstring>

namespace {

constexpr int kThreads = 64;

__global__ void none(float* out) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = shared[kThreads - 1 - threadIdx.x];
}

/// memcheck: writes past the end.
__global__ void beyond(float* out) { out[threadIdx.x + kThreads] = 1; }

/// racecheck: reads its neighbour's word without a barrier between.
__global__ void race(float* out) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  out[threadIdx.x] = shared[kThreads - 1 - threadIdx.x];
}

/// initcheck: reads memory that nobody wrote.
__global__ void unwritten(const float* never, float* out) {
  out[threadIdx.x] = never[threadIdx.x] + 1;
}

/// synccheck: a barrier that half of a warp does not come to.
__global__ void divergent(float* out) {
  if (threadIdx.x % 2 == 0) __syncthreads();
  out[threadIdx.x] = 1;
}

}  // namespace

int main(int argc, char** argv) {
  const char* which = argc > 1 ? argv[1] : "none";
  float* out = nullptr;
  float* never = nullptr;
  if (cudaMalloc(&out, kThreads * sizeof(float)) != cudaSuccess ||
      cudaMalloc(&never, kThreads * sizeof(float)) != cudaSuccess) {
    std::fprintf(stderr, "planted_bugs: no memory on the GPU\n");
    return 69;
  }
  if (std::strcmp(which, "memcheck") == 0) {
    beyond<<<1, kThreads>>>(out);
  } else if (std::strcmp(which, "racecheck") == 0) {
    race<<<1, kThreads>>>(out);
  } else if (std::strcmp(which, "initcheck") == 0) {
    unwritten<<<1, kThreads>>>(never, out);
  } else if (std::strcmp(which, "synccheck") == 0) {
    divergent<<<1, kThreads>>>(out);
  } else {
    none<<<1, kThreads>>>(out);
  }
  const cudaError_t error = cudaDeviceSynchronize();
  std::printf("%s: %s\n", which, cudaGetErrorString(error));
  cudaFree(out);
  cudaFree(never);
  return error == cudaSuccess ? 0 : 1;
}
