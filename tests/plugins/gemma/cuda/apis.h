// DeviceApis for tests, around another: one that writes down what was asked of
// it, one whose n-th allocation fails.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/gpu/device_api.h"
#include "penstock/error.h"

namespace penstock::gpu {

/// Hands everything on.
class AroundApi : public DeviceApi {
 public:
  explicit AroundApi(std::shared_ptr<DeviceApi> inner)
      : inner_(std::move(inner)) {}

  DeviceFacts facts() override { return inner_->facts(); }
  DeviceMemory memory() override { return inner_->memory(); }
  int blocks_at_once(const Kernel& kernel, int threads,
                     unsigned shared_bytes) override {
    return inner_->blocks_at_once(kernel, threads, shared_bytes);
  }
  void* allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
  void free(void* memory) noexcept override { inner_->free(memory); }
  void* allocate_pinned(std::size_t bytes) override {
    return inner_->allocate_pinned(bytes);
  }
  void free_pinned(void* memory) noexcept override {
    inner_->free_pinned(memory);
  }
  void copy_in(void* device, const void* host, std::size_t bytes) override {
    inner_->copy_in(device, host, bytes);
  }
  void copy_out(void* host, const void* device, std::size_t bytes) override {
    inner_->copy_out(host, device, bytes);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    inner_->copy_within(to, from, bytes);
  }
  void fill(void* device, std::uint8_t byte, std::size_t bytes) override {
    inner_->fill(device, byte, bytes);
  }
  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override {
    inner_->launch(kernel, geometry, params);
  }
  void begin_capture() override { inner_->begin_capture(); }
  Graph end_capture() override { return inner_->end_capture(); }
  void replay(Graph graph) override { inner_->replay(graph); }
  void destroy(Graph graph) noexcept override { inner_->destroy(graph); }
  void wait() override { inner_->wait(); }
  void mark(int which) override { inner_->mark(which); }
  void wait_for(int which) override { inner_->wait_for(which); }

 private:
  std::shared_ptr<DeviceApi> inner_;
};

class RecordingApi final : public AroundApi {
 public:
  struct Call {
    std::string what;  ///< the function; of a launch, the kernel's name
    std::size_t bytes = 0;
    std::size_t graph = 0;  ///< it was captured for; 0: it was asked for itself
  };

  using AroundApi::AroundApi;

  void* allocate(std::size_t bytes) override {
    note("allocate", bytes);
    return AroundApi::allocate(bytes);
  }
  void* allocate_pinned(std::size_t bytes) override {
    note("allocate_pinned", bytes);
    return AroundApi::allocate_pinned(bytes);
  }
  void copy_in(void* device, const void* host, std::size_t bytes) override {
    note("copy_in", bytes);
    AroundApi::copy_in(device, host, bytes);
  }
  void copy_out(void* host, const void* device, std::size_t bytes) override {
    note("copy_out", bytes);
    AroundApi::copy_out(host, device, bytes);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    note("copy_within", bytes);
    AroundApi::copy_within(to, from, bytes);
  }
  void fill(void* device, std::uint8_t byte, std::size_t bytes) override {
    note("fill", bytes);
    AroundApi::fill(device, byte, bytes);
  }
  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override {
    note(kernel.name, params.size());
    AroundApi::launch(kernel, geometry, params);
  }
  void begin_capture() override {
    AroundApi::begin_capture();
    capturing_ = ++captured_;
  }
  Graph end_capture() override {
    capturing_ = 0;
    return AroundApi::end_capture();
  }
  void replay(Graph graph) override {
    note("replay", 0);
    AroundApi::replay(graph);
  }
  void wait() override {
    note("wait", 0);
    AroundApi::wait();
  }
  void mark(int which) override {
    note("mark", 0);
    AroundApi::mark(which);
  }
  void wait_for(int which) override {
    note("wait_for", 0);
    AroundApi::wait_for(which);
  }

  /// What was asked for since the last call of this.
  [[nodiscard]] std::vector<Call> take() { return std::exchange(calls_, {}); }

 private:
  void note(const char* what, std::size_t bytes) {
    calls_.push_back({what, bytes, capturing_});
  }

  std::vector<Call> calls_;
  std::size_t captured_ = 0, capturing_ = 0;
};

/// Allocation `failing`, counted from 0 and pinned ones too, finds no memory.
class FailingApi final : public AroundApi {
 public:
  FailingApi(std::shared_ptr<DeviceApi> inner, int failing)
      : AroundApi(std::move(inner)), left_(failing) {}

  void* allocate(std::size_t bytes) override {
    count(bytes);
    return AroundApi::allocate(bytes);
  }
  void* allocate_pinned(std::size_t bytes) override {
    count(bytes);
    return AroundApi::allocate_pinned(bytes);
  }
  [[nodiscard]] bool has_failed() const { return left_ < 0; }

 private:
  void count(std::size_t bytes) {
    if (left_-- == 0) {
      throw Error(Code::kRetry, str("cudaMalloc of ", bytes,
                                    " bytes: cudaErrorMemoryAllocation (2)"));
    }
  }

  int left_;
};

/// What was asked, in order.
[[nodiscard]] inline std::vector<std::string> names(
    const std::vector<RecordingApi::Call>& calls) {
  std::vector<std::string> out;
  for (const auto& call : calls) out.push_back(call.what);
  return out;
}

}  // namespace penstock::gpu
