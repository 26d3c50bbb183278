#include "penstock/testing/difference.h"

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <vector>

#include "penstock/parallel.h"

namespace penstock::testing {
namespace {

double epsilon(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return 0x1p-52;
    case at::kFloat:
      return 0x1p-23;
    case at::kHalf:
      return 0x1p-10;
    case at::kBFloat16:
      return 0x1p-7;
    default:
      return 0;  // exact
  }
}

std::string description(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream out;
  out << c10::toString(tensor.scalar_type()) << tensor.sizes();
  return out.str();
}

/// "[0, 2, 5]" of the element that is number `flat`.
std::string place(const at::Tensor& tensor, std::int64_t flat) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(tensor.dim()));
  for (std::int64_t d = tensor.dim() - 1; d >= 0; --d) {
    at[static_cast<std::size_t>(d)] = flat % tensor.size(d);
    flat /= tensor.size(d);
  }
  std::ostringstream out;
  out << "[";
  for (std::size_t d = 0; d < at.size(); ++d) out << (d ? ", " : "") << at[d];
  out << "]";
  return out.str();
}

/// How many times the tolerance an element is off.
double excess(double got, double wanted, double rms, double tolerance) {
  if (std::isnan(got) && std::isnan(wanted)) return 0;
  if (got == wanted) return 0;
  const double off = std::abs(got - wanted);
  if (!std::isfinite(off)) return std::numeric_limits<double>::infinity();
  const double allowed = tolerance * (std::abs(wanted) + rms);
  return allowed > 0 ? off / allowed : std::numeric_limits<double>::infinity();
}

/// The elements in order, as doubles: of integers those up to 2^53 are exact.
at::Tensor doubles(const at::Tensor& tensor) {
  return tensor.detach().cpu().to(at::kDouble).contiguous();
}

double root_mean_square(const double* values, std::int64_t count) {
  double sum = 0;
  std::int64_t finite = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) continue;
    sum += values[i] * values[i];
    ++finite;
  }
  return finite > 0 ? std::sqrt(sum / static_cast<double>(finite)) : 0;
}

struct Outside {
  std::int64_t count = 0, first = -1, worst = -1;
  double worst_excess = 0;
};

Outside look(const double* got, const double* wanted, std::int64_t count,
             double tolerance) {
  const double rms = root_mean_square(wanted, count);
  Outside outside;
  for (std::int64_t i = 0; i < count; ++i) {
    const double times = excess(got[i], wanted[i], rms, tolerance);
    if (times <= 1) continue;
    if (outside.count++ == 0) outside.first = i;
    if (times <= outside.worst_excess) continue;
    outside.worst_excess = times;
    outside.worst = i;
  }
  return outside;
}

}  // namespace

std::string difference(const at::Tensor& got, const at::Tensor& wanted,
                       const Rounding& rounding) {
  const SerialOps serial;
  if (!got.defined() || !wanted.defined() || got.sizes() != wanted.sizes()) {
    if (!got.defined() && !wanted.defined()) return "";
    return "it is " + description(got) + ", expected " + description(wanted);
  }
  const at::Tensor a = doubles(got);
  const at::Tensor b = doubles(wanted);
  const auto* from = a.const_data_ptr<double>();
  const auto* to = b.const_data_ptr<double>();
  const double tolerance =
      std::max(epsilon(got.scalar_type()), epsilon(wanted.scalar_type())) *
      (2 + std::sqrt(static_cast<double>(rounding.terms))) * rounding.factor;
  const Outside outside = look(from, to, a.numel(), tolerance);
  if (outside.count == 0) return "";
  std::ostringstream out;
  out.precision(9);
  const auto tell = [&](std::int64_t at) {
    out << place(a, at) << ": " << from[at] << ", expected " << to[at];
  };
  out << outside.count << " of " << a.numel() << " elements of "
      << description(got) << " are outside " << tolerance
      << " * (|expected| + rms); the first at ";
  tell(outside.first);
  out << "; the worst, " << outside.worst_excess << " times the tolerance, at ";
  tell(outside.worst);
  return out.str();
}

}  // namespace penstock::testing
