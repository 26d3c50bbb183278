// Template: a chat template in Jinja, as much of it as such templates use, run
// within limits: a file from anywhere may hold one.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "gemma/jinja/value.h"

namespace penstock::gemma::jinja {

struct Limits {
  std::int64_t steps = 2'000'000;  ///< and 64 bytes made are a step
  std::size_t output = std::size_t{16} << 20U;  ///< bytes, of any text
  std::size_t source = std::size_t{1} << 20U;
};

/// Const once made: any thread may run it.
class Template {
 public:
  /// Throws Error(kData) naming the line.
  explicit Template(std::string_view source, const Limits& limits = {});
  ~Template();

  /// What it writes. `variables`: messages and the like; `now`: of
  /// strftime_now. Throws Error(kData) for a fault, a limit, and what the
  /// template itself raises.
  [[nodiscard]] Text run(Map variables, std::time_t now) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace penstock::gemma::jinja
