#include "lib/exported/waiting.h"

#include <algorithm>

namespace penstock::exported {

bool Waiting::is_over() const {
  if (deadline && Clock::now() >= *deadline) return true;
  return !stops.empty() && std::all_of(stops.begin(), stops.end(),
                                       [](const std::stop_token& stop) {
                                         return stop.stop_requested();
                                       });
}

Waiting waiting_for(const Step& step) {
  Waiting out;
  std::vector<const Request*> seen;
  bool have_all_deadlines = true;
  for (const Slice& slice : step.slices) {
    const Request* request = slice.sequence->item->request.get();
    if (request == nullptr) return {};  // a test's
    if (std::find(seen.begin(), seen.end(), request) != seen.end()) continue;
    seen.push_back(request);
    out.stops.push_back(request->stop);
    have_all_deadlines = have_all_deadlines && request->deadline.has_value();
    const Time deadline = request->deadline.value_or(Time::max());
    out.deadline = std::max(out.deadline.value_or(deadline), deadline);
  }
  if (!have_all_deadlines) out.deadline.reset();
  return out;
}

}  // namespace penstock::exported
