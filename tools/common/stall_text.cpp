#include "common/stall_text.h"

#include <cmath>

#include "common/harmless.h"
#include "penstock/error.h"

namespace penstock {

std::string stall_text(const Stall& stall) {
  return harmless(
      str(stall.place, " has not returned for ",
          std::round(stall.seconds * 10) / 10, " s",
          stall.request.empty() ? "" : str(", request '", stall.request, "'"),
          stall.is_overdue && !stall.is_late ? ", past its deadline" : ""));
}

std::string stall_details(const Stall& stall) {
  constexpr std::size_t kMostLines = 16;
  std::string out;
  for (std::size_t i = 0; i < stall.stack.size() && i < kMostLines; ++i) {
    out += "  at " + harmless(stall.stack[i]) + "\n";
  }
  const char* before = "  ";
  for (const QueueFill& each : stall.queues) {
    out += str(before, each.name, ": ", each.count);
    if (each.most > 0) out += str(" of ", each.most);
    before = "; ";
  }
  return stall.queues.empty() ? out : out + "\n";
}

}  // namespace penstock
