// Runs a program as a person at a shell would, and keeps what it said.
#pragma once

#include <string>
#include <vector>

namespace penstock {

struct Ran {
  int code = -1;  ///< exit code; 128 + signal as a shell says it
  std::string out, err;
};

/// `command[0]` is the program; `environment` is added as "NAME=value": of a
/// name that comes twice, or that is here as well, the last counts.
[[nodiscard]] Ran run_program(const std::vector<std::string>& command,
                              const std::vector<std::string>& environment = {});

}  // namespace penstock
