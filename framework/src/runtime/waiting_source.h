// WaitingSource: live input that a stage waits for. A microphone that is silent
// is no stage that hangs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "penstock/value.h"
#include "threads/calls.h"

namespace penstock {

class WaitingSource final : public Source {
 public:
  explicit WaitingSource(std::shared_ptr<Source> real)
      : real_(std::move(real)) {}
  std::optional<Value> read() override {
    const calls::Scope outside;
    calls::moved();
    return real_->read();
  }

 private:
  std::shared_ptr<Source> real_;
};

/// Lets stages wait for the live ones among `inputs`.
inline void wait_outside(std::map<std::string, Value>& inputs) {
  for (auto& [name, value] : inputs) {
    auto* source = std::get_if<std::shared_ptr<Source>>(&value);
    if (source == nullptr || *source == nullptr) continue;
    value = std::shared_ptr<Source>(
        std::make_shared<WaitingSource>(std::move(*source)));
  }
}

}  // namespace penstock
