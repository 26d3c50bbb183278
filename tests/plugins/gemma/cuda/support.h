// What the tests of the GPU kernels share: device memory of the simulator with
// random numbers in it, launches, and plain arithmetic to hold answers against.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gemma/cuda/kernels.h"
#include "lib/gpu/sim/simulate.h"

namespace penstock::gemma::cuda {

/// Simulated device memory, and the launches that use it.
class Device {
 public:
  explicit Device(NumberType type) : type_(type) {}
  [[nodiscard]] NumberType type() const { return type_; }
  [[nodiscard]] const Kernels& kernels() const {
    return simulated_kernels(type_, /*has_groups=*/true);
  }

  /// Random numbers in [-scale, scale), the same in every run, as the type
  /// stores them.
  void* weights(std::int64_t count, const std::string& name, double scale = 1);
  float* floats(std::int64_t count, const std::string& name, double scale = 1);
  std::int32_t* ints(const std::vector<std::int32_t>& values,
                     const std::string& name);
  std::uint32_t* zeros(std::int64_t count, const std::string& name);
  /// Memory in which nothing was written; its bytes are those of NaNs.
  void* empty(std::int64_t bytes, const std::string& name);
  float* empty_floats(std::int64_t count, const std::string& name);
  /// The same of the type.
  void* empty_acts(std::int64_t count, const std::string& name);
  /// Says that what is there was written.
  void set_written(const void* at, std::int64_t bytes);

  template <class Params>
  void launch(const KernelOf<Params>& kernel, const Geometry& geometry,
              const Params& params) {
    gpu::simulate(kernel, geometry, &params, memory_,
                  {.is_reversed = is_reversed});
  }
  /// A number that the type stores.
  [[nodiscard]] double number(const void* at, std::int64_t i) const;
  /// As a product's input is rounded.
  [[nodiscard]] double rounded(double x) const;
  double random(double scale);

  bool is_reversed = false;

 private:
  struct Free {
    // NOLINTNEXTLINE(*no-malloc): what aligned_alloc() gave
    void operator()(void* at) const { std::free(at); }
  };

  NumberType type_;
  gpu::SimMemory memory_;
  std::vector<std::unique_ptr<void, Free>> buffers_;
  std::uint64_t state_ = 88172645463325252U;
};

/// What a kernel's first lines make of a row.
struct Normed {
  std::vector<double> next, normed;
};
/// Empty rows are zeros.
Normed normed(const Residual& in, int row);

/// A sum and how far from it an answer may be.
struct Near {
  double value = 0;
  double square_sum = 0;  ///< of the terms

  void add(double term) {
    value += term;
    square_sum += term * term;
  }
  /// Terms are independent: f32 sums them with some 2^-22 of their norm; a
  /// bf16 input may round the other way where its f32 was not exact, 2^-8.
  [[nodiscard]] double bound(NumberType type) const;
};
/// A layer's residual of `rows` rows; some of `x_rows` may be -1.
struct ResidualOptions {
  int rows = 1, hidden = 16;
  bool has_y = true;
  std::vector<std::int32_t> x_rows = {};  ///< empty: null
  std::vector<std::int32_t> y_rows = {};
};
Residual make_residual(Device& device, const ResidualOptions& options);
/// x_out and normed_out hold what they should.
void expect_kept(const Residual& in);

}  // namespace penstock::gemma::cuda
