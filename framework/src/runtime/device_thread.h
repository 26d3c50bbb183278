// DeviceThread: the one thread of a device. It serves the lanes of every
// pipeline placed there in turn, and never blocks while a sequence can run.
#pragma once

#include <c10/core/Device.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/lane.h"

namespace penstock {

class DeviceThread {
 public:
  /// The engine of a device, shared by all who hold it: there is one thread
  /// per device, however many pipelines run there. Replicas of one pipeline on
  /// the same device have the first, the second, ... of it.
  [[nodiscard]] static std::shared_ptr<DeviceThread> of(at::Device device,
                                                        std::size_t nth = 0);

  DeviceThread(at::Device device, std::size_t nth);
  ~DeviceThread();
  DeviceThread(const DeviceThread&) = delete;
  DeviceThread& operator=(const DeviceThread&) = delete;

  /// Runs `task` on the engine thread and waits; throws what it throws.
  void call(const std::function<void()>& task);
  void add(Lane& lane);
  /// After this the engine does not touch the lane.
  void remove(Lane& lane);
  /// Something changed: look at the lanes again. Any thread.
  void notify();

 private:
  void run();
  void serve();

  at::Device device_;
  bool has_team_;  ///< of libtorch: the first of the device
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_notified_ = false, is_stopping_ = false;
  std::vector<std::function<void()>> tasks_;
  std::vector<Lane*> lanes_;  ///< engine thread only
  std::thread thread_;
};

}  // namespace penstock
