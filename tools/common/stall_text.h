// What people read of a stage that does not return.
#pragma once

#include <string>

#include "penstock/stall.h"

namespace penstock {

/// "stage 'forward' (a.b) has not returned for 10 s, request 'x'", on one line.
[[nodiscard]] std::string stall_text(const Stall& stall);
/// Where its thread is and how full its pipeline's queues are, a line each,
/// indented; each line with its end.
[[nodiscard]] std::string stall_details(const Stall& stall);

}  // namespace penstock
