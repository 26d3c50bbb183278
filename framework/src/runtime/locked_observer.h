// An Observer that is called by one thread at a time: a pipeline's replicas
// call it from theirs.
#pragma once

#include <mutex>

#include "penstock/pipeline.h"

namespace penstock {

class LockedObserver final : public Observer {
 public:
  explicit LockedObserver(Observer& to) : to_(to) {}

  void item(const Request& request, const Item& item) override {
    const std::scoped_lock lock(mutex_);
    to_.item(request, item);
  }
  void step(const Step& step, const Result& result) override {
    const std::scoped_lock lock(mutex_);
    to_.step(step, result);
  }
  void decoded(const Request& request, const Decoded& decoded) override {
    const std::scoped_lock lock(mutex_);
    to_.decoded(request, decoded);
  }
  void tensor(std::string_view name, const at::Tensor& value) override {
    const std::scoped_lock lock(mutex_);
    to_.tensor(name, value);
  }
  void count(std::string_view name, std::int64_t value) override {
    const std::scoped_lock lock(mutex_);
    to_.count(name, value);
  }

 private:
  Observer& to_;
  std::mutex mutex_;
};

}  // namespace penstock
