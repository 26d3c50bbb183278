// penstock/parallel.h for checks that do without libtorch: one thread.
#include "penstock/parallel.h"

namespace penstock {

int threads() { return 1; }

void parallel_for(
    std::int64_t count, std::int64_t /*grain*/,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  body(0, count);
}

}  // namespace penstock
