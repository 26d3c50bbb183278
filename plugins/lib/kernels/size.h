// Counts are std::int64_t here; the standard library's are std::size_t.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::kernels {

/// `n`, which is not negative, as the standard library takes it.
inline std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace penstock::kernels
