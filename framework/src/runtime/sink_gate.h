// SinkGate: what a stage is given as its sink. It leads to the real one during
// the call alone: a thread that a stage left behind gets an Error, where the
// real sink is gone.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "penstock/error.h"
#include "penstock/postprocess.h"
#include "penstock/preprocess.h"

namespace penstock {

/// What both kinds have: the way to the real sink, while there is one.
template <class Sink>
class Gated : public Sink {
 public:
  void open(Sink& to, const Place& place) {
    const std::scoped_lock lock(mutex_);
    to_ = &to;
    place_ = place;
  }
  /// Waits for the calls of other threads that are on their way.
  void close() {
    const std::scoped_lock lock(mutex_);
    to_ = nullptr;
  }

 protected:
  template <class Call>
  void pass(const Call& call) {
    const std::scoped_lock lock(mutex_);
    if (to_ == nullptr) {
      throw Error(Code::kInternal,
                  "a sink was used after the call that it was given to had "
                  "returned; keep no reference to it")
          .in(place_);
    }
    call(*to_);
  }

 private:
  std::mutex mutex_;
  Sink* to_ = nullptr;
  Place place_;
};

class GatedItems final : public Gated<ItemSink> {
 public:
  void push(Item item) override {
    pass([&](ItemSink& to) { to.push(std::move(item)); });
  }
  void warn(std::string text) override {
    pass([&](ItemSink& to) { to.warn(std::move(text)); });
  }
};

class GatedOutput final : public Gated<OutputSink> {
 public:
  void emit(Value value, int branch, bool is_final) override {
    pass([&](OutputSink& to) { to.emit(std::move(value), branch, is_final); });
  }
};

/// Opens a gate for a call. Closed ones are kept, and taken again only after
/// many others, so that whoever still holds one finds it closed.
template <class Gate>
class SinkGate {
 public:
  template <class Sink>
  SinkGate(Sink& to, const Place& place) : gate_(take()) {
    gate_->open(to, place);
  }
  ~SinkGate() {
    gate_->close();
    const std::scoped_lock lock(closed().mutex);
    closed().gates.push_back(std::move(gate_));
  }
  SinkGate(const SinkGate&) = delete;
  SinkGate& operator=(const SinkGate&) = delete;

  [[nodiscard]] Gate& sink() const { return *gate_; }

 private:
  static constexpr std::size_t kKept = 1024;
  struct Closed {
    std::mutex mutex;
    std::deque<std::unique_ptr<Gate>> gates;
  };
  /// Leaked: threads that are left behind may outlive static destruction.
  static Closed& closed() {
    // NOLINTNEXTLINE(*-avoid-non-const-global-variables)
    static auto* const all = new Closed;
    return *all;
  }
  static std::unique_ptr<Gate> take() {
    const std::scoped_lock lock(closed().mutex);
    if (closed().gates.size() < kKept) return std::make_unique<Gate>();
    auto oldest = std::move(closed().gates.front());
    closed().gates.pop_front();
    return oldest;
  }

  std::unique_ptr<Gate> gate_;
};

}  // namespace penstock
