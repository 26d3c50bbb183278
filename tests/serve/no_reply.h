// For tests of what comes before an answer.
#pragma once

#include <functional>
#include <string>

#include "pipeline_serve/http/router.h"

namespace penstock::serve {

/// An answer that nobody reads.
class NoReply final : public Reply {
 public:
  void send(Answer /*answer*/) override {}
  void begin(Answer /*head*/) override {}
  void write(std::string /*bytes*/) override {}
  void end() override {}
  [[nodiscard]] bool has_begun() const override { return false; }
  void on_gone(std::function<void()> /*call*/) override {}
};

}  // namespace penstock::serve
