// Two threads write one number without a lock: ThreadSanitizer must complain.
#include <thread>

namespace {
int shared = 0;
}

int main() {
  std::thread other([] { ++shared; });
  ++shared;
  other.join();
  return 0;
}
