#include "lib/kernels/buffer.h"

#include <sys/mman.h>

#include "penstock/error.h"

namespace penstock::kernels {

Buffer::Buffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(Code::kRetry,
                str("no memory for ", bytes >> 20U, " MiB of weights"));
  }
  // Only a wish: a quarter more of the memory's bandwidth.
  madvise(memory, bytes, MADV_HUGEPAGE);
  data_ = static_cast<std::uint8_t*>(memory);
}

Buffer::~Buffer() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace penstock::kernels
