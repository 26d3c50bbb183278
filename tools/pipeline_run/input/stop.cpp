#include "pipeline_run/input/stop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "penstock/error.h"

namespace penstock::run {

Stop::Stop() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw Error(Code::kRetry, "no file descriptor is left");
}

Stop::~Stop() { close(descriptor_); }

void Stop::request() {
  is_requested_ = true;
  (void)eventfd_write(descriptor_, 1);
}

}  // namespace penstock::run
