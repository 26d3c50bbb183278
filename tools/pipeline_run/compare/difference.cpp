#include "pipeline_run/compare/difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "pipeline_run/inspect/show.h"

namespace penstock::run {
namespace {

/// Row-major place in a shape.
std::vector<std::int64_t> position_of(std::int64_t flat,
                                      at::IntArrayRef shape) {
  std::vector<std::int64_t> out(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    out[i] = flat % shape[i];
    flat /= shape[i];
  }
  return out;
}

std::string text_of(const std::vector<std::int64_t>& position) {
  std::string out = "[";
  for (std::size_t i = 0; i < position.size(); ++i) {
    out += str(i > 0 ? ", " : "", position[i]);
  }
  return out + "]";
}

double root_mean_square(const double* values, std::int64_t count) {
  double sum = 0;
  std::int64_t finite = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) continue;
    sum += values[i] * values[i];
    ++finite;
  }
  return finite == 0 ? 0 : std::sqrt(sum / static_cast<double>(finite));
}

std::string number(double value) {
  std::ostringstream out;
  out.precision(7);
  out << value;
  return out.str();
}

/// Both runs' records, walked through side by side.
class Walk {
 public:
  Walk(const std::vector<Record>& a, const std::vector<Record>& b,
       double tolerance)
      : a_(a), b_(b), tolerance_(tolerance) {}

  Comparison operator()() {
    const std::size_t count = std::min(a_.size(), b_.size());
    for (std::size_t i = 0; i < count && !is_over(); ++i) visit(a_[i], b_[i]);
    if (!is_over() && a_.size() != b_.size()) {
      const Record& more = a_.size() > b_.size() ? a_[count] : b_[count];
      part(str("only ", a_.size() > b_.size() ? "A" : "B", " made ", more.name),
           more);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_over() const {
    return out_.difference.has_value() || out_.near_tie.has_value();
  }
  void part(const std::string& what, const Record& record) {
    out_.difference = str(record.where, ": ", what);
  }
  void visit(const Record& a, const Record& b);
  void visit_texts(const Record& a, const Record& b);
  void visit_whole(const Record& a, const Record& b);
  void visit_real(const Record& a, const Record& b);

  const std::vector<Record>& a_;
  const std::vector<Record>& b_;
  double tolerance_;
  Comparison out_;
};

void Walk::visit(const Record& a, const Record& b) {
  if (a.where != b.where || a.name != b.name) {
    part(str("A made ", a.name, ", but B ", b.name, " in ", b.where), a);
    return;
  }
  if (!a.tensor.defined() || !b.tensor.defined()) {
    visit_texts(a, b);
    return;
  }
  if (a.tensor.sizes() != b.tensor.sizes()) {
    part(str(a.name, " has the shape ", text_of(a.tensor.sizes().vec()),
             " in A and ", text_of(b.tensor.sizes().vec()), " in B",
             a.name == "slices" ? ": they cut their steps differently" : ""),
         a);
    return;
  }
  if (a.tensor.numel() == 0) return;
  const bool is_real =
      a.tensor.is_floating_point() || b.tensor.is_floating_point();
  if (is_real) {
    visit_real(a, b);
  } else {
    visit_whole(a, b);
  }
}

void Walk::visit_texts(const Record& a, const Record& b) {
  if (a.text == b.text) return;
  std::size_t same = 0;
  while (same < std::min(a.text.size(), b.text.size()) &&
         a.text[same] == b.text[same]) {
    ++same;
  }
  part(str(a.name, " differs from byte ", same, " on: A '",
           a.text.substr(same, 40), "', B '", b.text.substr(same, 40), "'"),
       a);
}

/// Whole numbers are ids, masks and the like: the same or not. Where scores up
/// to here were the same but for rounding, other ids are near ties.
void Walk::visit_whole(const Record& a, const Record& b) {
  const Distance far = distance(a.tensor, b.tensor);
  if (far.worst == 0) return;
  const std::string what =
      str(a.name, text_of(far.position), " is ", number(far.a), " in A and ",
          number(far.b), " in B");
  if (a.name == "scores.ids") return;  // the values behind it decide
  const bool is_chosen = a.where.starts_with("decode") && a.name == "tokens";
  if (is_chosen) {
    out_.near_tie = str(a.where, ": ", what,
                        ", though no score differs by more than the "
                        "tolerance: a near tie");
    return;
  }
  part(what, a);
}

void Walk::visit_real(const Record& a, const Record& b) {
  const Distance far = distance(a.tensor, b.tensor);
  out_.lines.push_back({a.where, a.name, far.worst});
  if (far.worst <= tolerance_ && far.not_finite_a == far.not_finite_b) {
    const bool is_expected =
        far.not_finite_a == 0 ||
        far.not_finite_value_a == -std::numeric_limits<double>::infinity();
    if (is_expected) return;
  }
  if (far.not_finite_a > 0 || far.not_finite_b > 0) {
    part(str(a.name, text_of(far.first_not_finite), " is ",
             number(far.not_finite_value_a), " in A and ",
             number(far.not_finite_value_b), " in B; not finite: ",
             far.not_finite_a, " values of A, ", far.not_finite_b, " of B"),
         a);
    return;
  }
  part(str(a.name, text_of(far.position), " is ", number(far.a), " in A and ",
           number(far.b), " in B: ", number(far.worst),
           " apart, the tolerance is ", number(tolerance_)),
       a);
}

}  // namespace

Distance distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = a.to(at::kDouble).contiguous();
  const at::Tensor right = b.to(at::kDouble).contiguous();
  const auto* x = left.const_data_ptr<double>();
  const auto* y = right.const_data_ptr<double>();
  const double scale = root_mean_square(y, right.numel());
  Distance out;
  bool is_first = true;
  for (std::int64_t i = 0; i < left.numel(); ++i) {
    const bool is_a = std::isfinite(x[i]);
    const bool is_b = std::isfinite(y[i]);
    out.not_finite_a += is_a ? 0 : 1;
    out.not_finite_b += is_b ? 0 : 1;
    const bool is_same = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]));
    // The first that differs tells more than one that both have.
    const bool is_news = (!is_a || !is_b) && (is_first || !is_same) &&
                         out.worst < std::numeric_limits<double>::infinity();
    if (is_news) {
      out.first_not_finite = position_of(i, left.sizes());
      out.not_finite_value_a = x[i];
      out.not_finite_value_b = y[i];
      is_first = false;
    }
    if (is_same) continue;
    const double most = std::max(std::abs(y[i]), scale);
    const double far = is_a && is_b && most > 0
                           ? std::abs(x[i] - y[i]) / most
                           : std::numeric_limits<double>::infinity();
    if (far <= out.worst) continue;
    out.worst = far;
    out.position = position_of(i, left.sizes());
    out.a = x[i];
    out.b = y[i];
  }
  return out;
}

Comparison compare(const std::vector<Record>& a, const std::vector<Record>& b,
                   double tolerance) {
  return Walk(a, b, tolerance)();
}

}  // namespace penstock::run
