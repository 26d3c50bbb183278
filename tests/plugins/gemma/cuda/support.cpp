#include "tests/plugins/gemma/cuda/support.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "lib/gpu/block.h"

namespace penstock::gemma::cuda {

using gpu::Bf16;
using gpu::from_float;
using gpu::to_float;

double Device::random(double scale) {
  state_ ^= state_ << 13;  // xorshift
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return (static_cast<double>(state_ >> 11) / 9007199254740992.0 * 2 - 1) *
         scale;
}

void* Device::empty(std::int64_t bytes, const std::string& name) {
  const auto size = static_cast<std::size_t>((bytes + 63) / 64 * 64);
  std::unique_ptr<void, Free> buffer(std::aligned_alloc(64, size));
  std::memset(buffer.get(), 0xff, size);
  memory_.add(buffer.get(), static_cast<std::size_t>(bytes), name);
  buffers_.push_back(std::move(buffer));
  return buffers_.back().get();
}

void Device::set_written(const void* at, std::int64_t bytes) {
  memory_.set_written(at, static_cast<std::size_t>(bytes));
}

float* Device::empty_floats(std::int64_t count, const std::string& name) {
  return static_cast<float*>(empty(count * 4, name));
}

void* Device::empty_acts(std::int64_t count, const std::string& name) {
  return empty(count * bytes_of(type_), name);
}

float* Device::floats(std::int64_t count, const std::string& name,
                      double scale) {
  float* out = empty_floats(count, name);
  std::generate_n(out, count,
                  [&] { return static_cast<float>(random(scale)); });
  set_written(out, count * 4);
  return out;
}

void* Device::weights(std::int64_t count, const std::string& name,
                      double scale) {
  if (type_ == NumberType::kF32) return floats(count, name, scale);
  auto* out = static_cast<Bf16*>(empty(count * 2, name));
  std::generate_n(out, count, [&] {
    return from_float<Bf16>(static_cast<float>(random(scale)));
  });
  set_written(out, count * 2);
  return out;
}

std::int32_t* Device::ints(const std::vector<std::int32_t>& values,
                           const std::string& name) {
  const auto bytes = static_cast<std::int64_t>(values.size() * 4);
  auto* out = static_cast<std::int32_t*>(empty(bytes, name));
  std::copy(values.begin(), values.end(), out);
  set_written(out, bytes);
  return out;
}

std::uint32_t* Device::zeros(std::int64_t count, const std::string& name) {
  auto* out = static_cast<std::uint32_t*>(empty(count * 4, name));
  std::fill_n(out, count, 0U);
  set_written(out, count * 4);
  return out;
}

double Device::number(const void* at, std::int64_t i) const {
  if (type_ == NumberType::kF32) {
    return static_cast<double>(static_cast<const float*>(at)[i]);
  }
  return static_cast<double>(to_float(static_cast<const Bf16*>(at)[i]));
}

double Device::rounded(double x) const {
  const auto narrow = static_cast<float>(x);
  return static_cast<double>(
      type_ == NumberType::kF32 ? narrow : to_float(from_float<Bf16>(narrow)));
}

Normed normed(const Residual& in, int row) {
  const auto size = static_cast<std::size_t>(in.hidden);
  Normed out{std::vector<double>(size), std::vector<double>(size)};
  const int x_row = in.x_rows == nullptr ? row : in.x_rows[row];
  const int y_row = in.y_rows == nullptr ? row : in.y_rows[row];
  if (x_row < 0) return out;
  const auto factor = [&](const auto& number) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += number(i) * number(i);
    return 1 / std::sqrt(sum / in.hidden + static_cast<double>(in.epsilon));
  };
  const float* x = in.x + std::int64_t{x_row} * in.hidden;
  for (std::size_t i = 0; i < size; ++i) out.next[i] = x[i];
  if (in.y != nullptr) {
    const float* y = in.y + std::int64_t{y_row} * in.hidden;
    const double f = factor([&](std::size_t i) { return double{y[i]}; });
    for (std::size_t i = 0; i < size; ++i) {
      out.next[i] += double{y[i]} * f * double{in.post[i]};
    }
  }
  const double f = factor([&](std::size_t i) { return out.next[i]; });
  for (std::size_t i = 0; i < size; ++i) {
    out.normed[i] = out.next[i] * f * double{in.weight[i]};
  }
  return out;
}

double Near::bound(NumberType type) const {
  const double part = type == NumberType::kF32 ? 0x1p-19 : 0x1p-8;
  return part * std::sqrt(square_sum) + 1e-30;
}

Residual make_residual(Device& device, const ResidualOptions& options) {
  const auto most = [&](const std::vector<std::int32_t>& rows) {
    return rows.empty() ? options.rows
                        : *std::max_element(rows.begin(), rows.end()) + 1;
  };
  const std::int64_t hidden = options.hidden;
  Residual in;
  in.x = device.floats(most(options.x_rows) * hidden, "x", 3);
  if (options.has_y) {
    in.y = device.floats(most(options.y_rows) * hidden, "y", 0.1);
    in.post = device.floats(hidden, "post", 2);
  }
  in.weight = device.floats(hidden, "norm", 2);
  in.x_out = device.empty_floats(options.rows * hidden, "x_out");
  in.normed_out = device.empty_floats(options.rows * hidden, "normed_out");
  if (!options.x_rows.empty()) {
    in.x_rows = device.ints(options.x_rows, "x_rows");
  }
  if (!options.y_rows.empty()) {
    in.y_rows = device.ints(options.y_rows, "y_rows");
  }
  in.rows = options.rows;
  in.hidden = options.hidden;
  in.epsilon = 1e-6F;
  return in;
}

void expect_kept(const Residual& in) {
  for (int row = 0; row < in.rows; ++row) {
    const Normed want = normed(in, row);
    for (int i = 0; i < in.hidden; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::int64_t place = std::int64_t{row} * in.hidden + i;
      // Numbers of magnitude 3, some twenty operations of f32.
      ASSERT_NEAR(want.next[at], double{in.x_out[place]}, 1e-5) << row;
      ASSERT_NEAR(want.normed[at], double{in.normed_out[place]}, 1e-5) << row;
    }
  }
}

}  // namespace penstock::gemma::cuda
