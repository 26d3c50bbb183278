#include "lib/gpu/simulated_api.h"

#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "lib/gpu/sim/simulate.h"
#include "penstock/error.h"

namespace penstock::gpu {
namespace {

constexpr std::size_t kSystemPage = 4096;
constexpr int kFresh = 0xff;

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kSystemPage - 1) / kSystemPage * kSystemPage;
}

}  // namespace

SimulatedApi::SimulatedApi(const Options& options) : options_(options) {}

SimulatedApi::~SimulatedApi() {
  while (!device_.empty()) {
    give(device_, const_cast<std::byte*>(device_.begin()->first));
  }
  while (!pinned_.empty()) {
    give(pinned_, const_cast<std::byte*>(pinned_.begin()->first));
  }
}

DeviceFacts SimulatedApi::facts() {
  return {.name = "simulated device",
          .major = 9,
          .minor = 0,
          .multiprocessors = 4,
          .has_bf16 = options_.has_bf16,
          .driver = options_.driver};
}

DeviceMemory SimulatedApi::memory() {
  return {.free = options_.bytes - used_, .total = options_.bytes};
}

void* SimulatedApi::take(Blocks& blocks, std::size_t bytes, bool is_open) {
  if (bytes == 0) throw Error(Code::kInternal, "allocation of no bytes");
  const std::size_t size = whole_pages(bytes);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw Error(Code::kRetry, "no host memory");
  std::memset(memory, kFresh, bytes);
  if (!is_open) mprotect(memory, size, PROT_NONE);
  blocks.emplace(static_cast<const std::byte*>(memory), bytes);
  return memory;
}

void SimulatedApi::give(Blocks& blocks, void* memory) noexcept {
  const auto found = blocks.find(static_cast<const std::byte*>(memory));
  if (found == blocks.end()) return;
  munmap(memory, whole_pages(found->second));
  blocks.erase(found);
}

void* SimulatedApi::allocate(std::size_t bytes) {
  capturing_.refuse("allocate");
  const auto size = static_cast<std::int64_t>(bytes);
  if (size > options_.bytes - used_) {
    throw Error(Code::kRetry,
                str("the simulated device has ", options_.bytes - used_,
                    " bytes free, ", bytes, " were asked for"));
  }
  void* memory = take(device_, bytes, !options_.is_late);
  seen_.add(memory, bytes, str("allocation ", ++allocations_));
  used_ += size;
  return memory;
}

void SimulatedApi::free(void* memory) noexcept {
  // As a device: what may still use it is run first.
  try {
    run_queue();
  } catch (const Error&) {
    queue_.clear();
  }
  const auto found = device_.find(static_cast<const std::byte*>(memory));
  if (found != device_.end()) {
    used_ -= static_cast<std::int64_t>(found->second);
    seen_.remove(memory);
  }
  give(device_, memory);
}

void* SimulatedApi::allocate_pinned(std::size_t bytes) {
  capturing_.refuse("allocate_pinned");
  return take(pinned_, bytes, /*is_open=*/true);
}

void SimulatedApi::free_pinned(void* memory) noexcept { give(pinned_, memory); }

void SimulatedApi::check(const Blocks& blocks, const void* begin,
                         std::size_t bytes, const char* what) {
  const auto* first = static_cast<const std::byte*>(begin);
  auto after = blocks.upper_bound(first);
  if (after != blocks.begin()) {
    const auto& [start, size] = *--after;
    const auto offset = static_cast<std::size_t>(first - start);
    if (offset <= size && bytes <= size - offset) return;
  }
  throw Error(Code::kInternal, str("copy of ", bytes, " bytes: ", what));
}

void SimulatedApi::queue(Work work) {
  if (capturing_.is_on()) {
    captured_.push_back(std::move(work));
  } else if (options_.is_late) {
    queue_.push_back(std::move(work));
  } else {
    work();
  }
}

void SimulatedApi::copy_in(void* device, const void* host, std::size_t bytes) {
  check(device_, device, bytes, "its target is not the device's");
  check(pinned_, host, bytes, "its source is not pinned");
  queue([=, this] {
    std::memcpy(device, host, bytes);
    seen_.set_written(device, bytes);
  });
}

void SimulatedApi::copy_out(void* host, const void* device, std::size_t bytes) {
  check(pinned_, host, bytes, "its target is not pinned");
  check(device_, device, bytes, "its source is not the device's");
  queue([=] { std::memcpy(host, device, bytes); });
}

void SimulatedApi::copy_within(void* to, const void* from, std::size_t bytes) {
  check(device_, to, bytes, "its target is not the device's");
  check(device_, from, bytes, "its source is not the device's");
  queue([=, this] {
    std::memcpy(to, from, bytes);
    seen_.set_written(to, bytes);
  });
}

void SimulatedApi::fill(void* device, std::uint8_t byte, std::size_t bytes) {
  check(device_, device, bytes, "its target is not the device's");
  queue([=, this] {
    std::memset(device, byte, bytes);
    seen_.set_written(device, bytes);
  });
}

void SimulatedApi::launch(const Kernel& kernel, const Geometry& geometry,
                          std::span<const std::byte> params) {
  if (params.size() != kernel.params_bytes || kernel.simulate == nullptr) {
    throw Error(
        Code::kInternal,
        str("launch of ", kernel.name, " with ", params.size(),
            " bytes of params; it takes ", kernel.params_bytes,
            kernel.simulate == nullptr ? ", and is not simulated" : ""));
  }
  const auto most = static_cast<std::uint64_t>(options_.blocks_at_once);
  if (kernel.waits_for_blocks && geometry.grid.count() > most) {
    throw Error(
        Code::kInternal,
        str("launch of ", geometry.grid.count(), " blocks of ", kernel.name,
            ", which wait for each other; ", most, " are there at once"));
  }
  queue([this, &kernel, geometry,
         copy = std::vector<std::byte>(params.begin(), params.end())] {
    try {
      simulate(kernel, geometry, copy.data(), seen_);
    } catch (const SimError& error) {
      throw Error(Code::kInternal, error.what());
    }
  });
}

void SimulatedApi::begin_capture() { capturing_.begin(); }

SimulatedApi::Graph SimulatedApi::end_capture() {
  capturing_.end();
  graphs_.emplace(++last_graph_, std::exchange(captured_, {}));
  return last_graph_;
}

void SimulatedApi::replay(Graph graph) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) throw Error(Code::kInternal, "no such graph");
  for (const Work& work : found->second) queue(work);
}

void SimulatedApi::destroy(Graph graph) noexcept { graphs_.erase(graph); }

void SimulatedApi::open(bool is_open) const {
  for (const auto& [start, bytes] : device_) {
    mprotect(const_cast<std::byte*>(start), whole_pages(bytes),
             is_open ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
}

void SimulatedApi::run_queue(std::size_t count) {
  if (count == 0) return;
  open(/*is_open=*/true);
  for (; count > 0 && !queue_.empty(); --count) {
    const Work work = std::move(queue_.front());
    queue_.pop_front();
    ++done_;
    work();
  }
  open(/*is_open=*/false);
}

void SimulatedApi::wait() {
  capturing_.refuse("wait");
  run_queue();
}

void SimulatedApi::mark(int which) {
  capturing_.refuse("mark");
  marks_.at(static_cast<std::size_t>(which)) = done_ + queue_.size();
}

void SimulatedApi::wait_for(int which) {
  capturing_.refuse("wait_for");
  const std::size_t until = marks_.at(static_cast<std::size_t>(which));
  if (until > done_) run_queue(until - done_);
}

}  // namespace penstock::gpu
