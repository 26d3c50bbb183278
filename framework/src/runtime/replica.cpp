#include "runtime/replica.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "runtime/in_stage.h"
#include "runtime/until.h"

namespace penstock {
namespace {

std::unique_ptr<Stages> own_stages(const ReplicaHome& home, std::size_t nth) {
  if (nth == 0) return nullptr;
  auto stages = std::make_unique<Stages>(home.file);
  end_after(home.options.until, *stages);
  return stages;
}

LaneStages lane_stages(const Stages& stages, const ReplicaHome& home,
                       at::Device device, ThreadShare* share) {
  const PipelineFile& file = home.file;
  return {.batch = *stages.batch,
          .forward = *stages.forward,
          .decode = *stages.decode,
          .boundary = stages.boundary,
          .device = device,
          .layout = file.batch.spec->layouts.front(),
          .batch_place = place_of(file.batch),
          .forward_place = place_of(file.forward),
          .decode_place = place_of(file.decode),
          .item_notes = stages.item_notes.at(stages.batch->index),
          .decode_spec = *file.decode.spec,
          .file = file,
          .watcher = home.options.call_watcher,
          .share = share};
}

/// Those on one CPU share its threads.
std::vector<ReplicaPlace> places_on(const std::vector<at::Device>& devices) {
  std::vector<ReplicaPlace> places;
  for (const at::Device& device : devices) {
    const auto is_there = [&](const ReplicaPlace& other) {
      return other.device == device;
    };
    const auto before = std::count_if(places.begin(), places.end(), is_there);
    const auto all = std::count(devices.begin(), devices.end(), device);
    const auto share = device.is_cpu() ? (threads() + all - 1 - before) / all
                                       : std::ptrdiff_t{threads()};
    places.push_back({.device = device,
                      .nth = places.size(),
                      .nth_there = static_cast<std::size_t>(before),
                      .threads = std::max(1, static_cast<int>(share))});
  }
  return places;
}

}  // namespace

Replica::Replica(const ReplicaHome& home, const ReplicaPlace& place)
    : board_(home.board),
      device_(place.device),
      own_(own_stages(home, place.nth)),
      stages_(own_ ? *own_ : home.stages),
      engine_(DeviceThread::of(device_, place.nth_there)) {
  if (device_.is_cpu() && place.threads < threads()) {
    share_.emplace(place.threads);
  }
  engine_->call([&] { open(home, place); });
  engine_->add(*lane_);
}

void Replica::open(const ReplicaHome& home, const ReplicaPlace& place) {
  const calls::Scope scope(&board_, nullptr);
  const ThreadShare::Use use(share());
  home.trace.name_thread(own_ ? str("engine ", place.nth) : "engine");
  stages_.open(home.file, device_, place.threads,
               own_ ? Stages::Which::kLoop : Stages::Which::kWhole);
  lane_.emplace(lane_stages(stages_, home, device_, share()), stages_.facts,
                board_, home.trace, home.observer);
}

Replica::~Replica() {
  engine_->remove(*lane_);
  engine_->call([&] {
    const calls::Scope scope(&board_, nullptr);
    stages_.close();
  });
}

std::size_t Replica::load() {
  return lane_->arrivals().fill().first + lane_->fill().first;
}

Replicas::Replicas(const ReplicaHome& home,
                   const std::vector<at::Device>& devices) {
  for (const ReplicaPlace& place : places_on(devices)) {
    all_.push_back(std::make_unique<Replica>(home, place));
  }
  given_.resize(all_.size());
  in_stage(place_of(home.file.forward), [&] { check_alike(); });
}

/// `dtype: auto` may mean another one on each device.
void Replicas::check_alike() const {
  const auto dtype = [](const Replica& one) {
    return get_or(one.facts(), kDtype, "");
  };
  const Replica& first = *all_.front();
  for (const auto& one : all_) {
    if (dtype(*one) == dtype(first)) continue;
    throw Error(
        Code::kData,
        str("it computes in ", dtype(first), " on ", first.device().str(),
            " and in ", dtype(*one), " on ", one->device().str(),
            ", so that answers would depend on where a request runs; write "
            "its dtype"));
  }
}

Replica& Replicas::choose(const Request& request) {
  if (all_.size() == 1) return *all_.front();
  if (!request.session.empty()) {
    const auto number = std::hash<std::string>()(request.session);
    return *all_[number % all_.size()];
  }
  const std::scoped_lock lock(mutex_);
  std::size_t best = 0;
  auto least = std::pair(all_[0]->load(), given_[0]);
  for (std::size_t i = 1; i < all_.size(); ++i) {
    const auto its = std::pair(all_[i]->load(), given_[i]);
    if (its >= least) continue;
    least = its;
    best = i;
  }
  ++given_[best];
  return *all_[best];
}

void Replicas::notify() {
  for (const auto& one : all_) one->notify();
}

std::shared_ptr<void> Replicas::upstream() {
  auto held = std::make_shared<std::vector<std::shared_ptr<void>>>();
  for (const auto& one : all_) {
    held->push_back(std::make_shared<Arrivals::Upstream>(
        one->arrivals(), [to = one.get()] { to->notify(); }));
  }
  return held;
}

}  // namespace penstock
