#include "video/sampler.h"

#include <utility>

namespace penstock::video {
namespace {

/// Times are sums of rounded numbers; nobody sees a microsecond.
constexpr double kSlack = 1e-6;
/// Most films begin with a picture or two less than with sound: the first one
/// counts for the film's beginning. What comes later begins late.
constexpr double kLate = 0.5;

}  // namespace

double Sampler::moment() const {
  const auto next = static_cast<double>(next_);
  if (rule_.fps > 0) return rule_.begin + next / rule_.fps;
  return rule_.begin +
         next * (rule_.end - rule_.begin) / static_cast<double>(rule_.count);
}

bool Sampler::is_over() const {
  if (taken_ >= rule_.max_frames) return true;
  if (rule_.every > 0) return time_ >= rule_.end - kSlack;
  if (rule_.count > 0) return next_ >= rule_.count;
  return moment() >= rule_.end - kSlack;
}

void Sampler::show(double time, double until, bool is_last) {
  if (!std::exchange(has_begun_, true) && rule_.fps > 0) {
    while (moment() <= time - kLate) ++next_;
  }
  time_ = time;
  until_ = until;
  is_last_ = is_last;
  is_new_ = true;
}

bool Sampler::is_due() const { return moment() < until_ - kSlack; }

std::optional<double> Sampler::take_nth() {
  if (!std::exchange(is_new_, false) || time_ < rule_.begin - kSlack) {
    return std::nullopt;
  }
  if (passed_++ % rule_.every != 0) return std::nullopt;
  ++taken_;
  return time_;
}

std::optional<double> Sampler::take_once() {
  std::optional<double> first;
  // A film may end before the time that its header states.
  while (next_ < rule_.count && (is_due() || is_last_)) {
    if (!first) first = moment();
    ++next_;
  }
  if (first) ++taken_;
  return first;
}

std::optional<double> Sampler::take() {
  if (is_over()) return std::nullopt;
  if (rule_.every > 0) return take_nth();
  if (rule_.count > 0) return take_once();
  if (!is_due()) return std::nullopt;
  const double at = moment();
  ++next_;
  ++taken_;
  return at;
}

}  // namespace penstock::video
