#include "runtime/device_thread.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <future>
#include <utility>

#include "penstock/parallel.h"

namespace penstock {
namespace {

/// Deadlines and credits change without a notification, so sequences that
/// cannot run are looked at this often.
constexpr auto kLook = std::chrono::milliseconds(10);

}  // namespace

std::shared_ptr<DeviceThread> DeviceThread::of(at::Device device,
                                               std::size_t nth) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<DeviceThread>> engines;
  const std::scoped_lock lock(mutex);
  auto& known = engines[str(device.str(), " ", nth)];
  auto engine = known.lock();
  if (!engine) known = engine = std::make_shared<DeviceThread>(device, nth);
  return engine;
}

DeviceThread::DeviceThread(at::Device device, std::size_t nth)
    : device_(device), has_team_(nth == 0), thread_([this] { run(); }) {}

DeviceThread::~DeviceThread() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DeviceThread::call(const std::function<void()>& task) {
  std::packaged_task<void()> packaged(task);
  auto done = packaged.get_future();
  {
    const std::scoped_lock lock(mutex_);
    tasks_.emplace_back([&] { packaged(); });
  }
  wake_.notify_all();
  done.get();
}

void DeviceThread::add(Lane& lane) {
  call([&] { lanes_.push_back(&lane); });
}

void DeviceThread::remove(Lane& lane) {
  call([&] { std::erase(lanes_, &lane); });
}

void DeviceThread::notify() {
  {
    const std::scoped_lock lock(mutex_);
    is_notified_ = true;
  }
  wake_.notify_all();
}

void DeviceThread::run() {
  // The budget is libtorch's team of this thread; see parallel.h.
  if (has_team_) {
    at::set_num_threads(threads());
  } else {
    run_ops_serially();
  }
  const c10::InferenceMode inference;
  // Where libtorch knows nothing of such devices, nobody here asks it: the
  // stage's engine has its own way to them.
  if (!c10::impl::hasDeviceGuardImpl(device_.type())) return serve();
  const c10::DeviceGuard guard(device_);
  serve();
}

void DeviceThread::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (is_stopping_) return;
    is_notified_ = false;
    const auto tasks = std::exchange(tasks_, {});
    lock.unlock();
    for (const auto& task : tasks) task();
    bool has_worked = !tasks.empty();
    bool has_sequences = false;
    Time check_again_at = Clock::now() + kLook;
    for (Lane* lane : lanes_) {
      has_worked |= lane->turn(check_again_at);
      has_sequences |= !lane->is_idle();
    }
    lock.lock();
    if (has_worked) continue;
    const auto is_needed = [&] {
      return is_notified_ || is_stopping_ || !tasks_.empty();
    };
    if (has_sequences) {
      wake_.wait_until(lock, check_again_at, is_needed);
    } else {
      wake_.wait(lock, is_needed);
    }
  }
}

}  // namespace penstock
