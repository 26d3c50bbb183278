// Replica: a pipeline's Batch, Forward and Decode on one device, opened, with
// the lane that runs them. A pipeline has one for each device of its Forward,
// and each item of a request runs on one of them.
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/device_thread.h"
#include "runtime/lane.h"
#include "runtime/stages.h"
#include "threads/share.h"

namespace penstock {

/// What the replicas of a pipeline have in common.
struct ReplicaHome {
  const PipelineFile& file;
  const PipelineOptions& options;
  Stages& stages;  ///< every stage; the first replica's are among them
  StatsBoard& board;
  Trace& trace;
  Observer* observer;
};

/// One of a pipeline's replicas.
struct ReplicaPlace {
  at::Device device;
  std::size_t nth;        ///< of all, from 0
  std::size_t nth_there;  ///< of those on its device
  int threads;            ///< its share of the budget of compute threads
};

class Replica {
 public:
  /// Opens it on the thread of its device.
  Replica(const ReplicaHome& home, const ReplicaPlace& place);
  /// Closes its stages; nothing runs in the lane any more.
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  [[nodiscard]] Arrivals& arrivals() { return lane_->arrivals(); }
  [[nodiscard]] const Lane& lane() const { return *lane_; }
  [[nodiscard]] const Notes& facts() const { return stages_.facts; }
  [[nodiscard]] const at::Device& device() const { return device_; }
  /// Something changed: its thread looks again. Any thread.
  void notify() { engine_->notify(); }
  /// Items that wait and sequences that run; any thread.
  [[nodiscard]] std::size_t load();

 private:
  void open(const ReplicaHome& home, const ReplicaPlace& place);
  [[nodiscard]] ThreadShare* share() { return share_ ? &*share_ : nullptr; }

  StatsBoard& board_;
  at::Device device_;
  /// Of the CPU's threads, where other replicas run there as well.
  std::optional<ThreadShare> share_;
  std::unique_ptr<Stages> own_;  ///< null: the pipeline's
  Stages& stages_;
  std::shared_ptr<DeviceThread> engine_;
  std::optional<Lane> lane_;
};

/// Those of a pipeline, at least one, and which of them an item goes to.
class Replicas {
 public:
  /// Opens them one after the other. Throws what the first throws that cannot
  /// be opened, and Error(kData) where they would give different answers.
  Replicas(const ReplicaHome& home, const std::vector<at::Device>& devices);

  /// For an item: of a chat always the same, which may have its last turn;
  /// else the one with the least to do. Any thread.
  [[nodiscard]] Replica& choose(const Request& request);
  void notify();
  [[nodiscard]] const std::vector<std::unique_ptr<Replica>>& all() const {
    return all_;
  }
  /// While it lives, its holder may still push to any of them.
  [[nodiscard]] std::shared_ptr<void> upstream();

 private:
  void check_alike() const;

  std::vector<std::unique_ptr<Replica>> all_;
  std::mutex mutex_;
  std::vector<std::size_t> given_;  ///< items, by replica
};

}  // namespace penstock
