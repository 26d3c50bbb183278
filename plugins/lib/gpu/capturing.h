// Capturing: whether a DeviceApi captures a graph, and the refusal of what can
// be no part of one: the same words in all its forms.
#pragma once

#include <string_view>

#include "penstock/error.h"

namespace penstock::gpu {

class Capturing {
 public:
  void begin() {
    refuse("begin_capture");
    is_on_ = true;
  }
  void end() { is_on_ = false; }
  [[nodiscard]] bool is_on() const { return is_on_; }
  /// Throws Error(kInternal) between begin() and end(). `call`: of DeviceApi.
  void refuse(std::string_view call) const {
    if (!is_on_) return;
    throw Error(Code::kInternal,
                str(call,
                    " while capturing: a graph is made of copies, fills, "
                    "launches and replays alone; call it before "
                    "begin_capture() or behind end_capture()"));
  }

 private:
  bool is_on_ = false;
};

}  // namespace penstock::gpu
