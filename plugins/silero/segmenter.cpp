#include "silero/segmenter.h"

#include <algorithm>
#include <cmath>

namespace penstock::silero {
namespace {

/// Least silence, in milliseconds, at which too long speech may be split.
constexpr double kSplitMs = 98;

}  // namespace

double end_threshold_for(double threshold) {
  return std::max(threshold - 0.15, 0.01);
}

Segmenter::Segmenter(const SegmentRules& rules, std::int64_t sample_rate,
                     std::int64_t window)
    : rules_(rules),
      rate_(sample_rate),
      window_(window),
      pad_(samples(rules.pad_ms)) {}

double Segmenter::samples(double ms) const {
  return static_cast<double>(rate_) * ms / 1000;
}

void Segmenter::push(double probability, std::vector<Segment>& out) {
  const std::int64_t now = window_ * windows_++;
  const bool is_speech = probability >= rules_.threshold;
  if (is_speech && silence_) resume(now);
  if (is_speech && !start_) {
    start_ = now;
    return;
  }
  const double most = static_cast<double>(rate_) * rules_.max_speech_s -
                      static_cast<double>(window_) - 2 * samples(rules_.pad_ms);
  if (start_ && static_cast<double>(now - *start_) > most) {
    const bool was_cut_here = silences_.empty();
    split(now, out);
    if (was_cut_here) return;
  }
  if (start_ && probability < rules_.end_threshold) fall_silent(now, out);
  const std::int64_t next = start_ ? *start_ : now;
  if (held_ && static_cast<double>(next - held_->end) >= 2 * pad_) {
    release(out);
  }
}

void Segmenter::resume(std::int64_t now) {
  const std::int64_t length = now - *silence_;
  if (static_cast<double>(length) > samples(kSplitMs)) {
    silences_.push_back({.begin = *silence_, .length = length});
  }
  silence_.reset();
}

void Segmenter::split(std::int64_t now, std::vector<Segment>& out) {
  if (silences_.empty()) {
    keep({.begin = *start_, .end = now}, out);
    start_.reset();
  } else {
    const auto longest = *std::max_element(
        silences_.begin(), silences_.end(),
        [](const Silence& a, const Silence& b) { return a.length < b.length; });
    keep({.begin = *start_, .end = longest.begin}, out);
    start_ = longest.begin + longest.length;
  }
  silence_.reset();
  silences_.clear();
}

void Segmenter::fall_silent(std::int64_t now, std::vector<Segment>& out) {
  if (!silence_) silence_ = now;
  if (static_cast<double>(now - *silence_) < samples(rules_.min_silence_ms)) {
    return;
  }
  const Segment segment{.begin = *start_, .end = *silence_};
  if (static_cast<double>(segment.end - segment.begin) >
      samples(rules_.min_speech_ms)) {
    keep(segment, out);
  }
  start_.reset();
  silence_.reset();
  silences_.clear();
}

/// Keeps a segment; a gap too short for two pads is shared by its neighbours.
void Segmenter::keep(Segment segment, std::vector<Segment>& out) {
  double before = pad_;
  if (held_) {
    const std::int64_t gap = segment.begin - held_->end;
    if (static_cast<double>(gap) < 2 * pad_) {
      const std::int64_t half = gap / 2;
      before = static_cast<double>(half);
      held_->end += half;
      out.push_back(*held_);
      held_.reset();
    } else {
      release(out);
    }
  }
  segment.begin = static_cast<std::int64_t>(
      std::max(0.0, static_cast<double>(segment.begin) - before));
  held_ = segment;
}

std::int64_t Segmenter::padded_end() const {
  return static_cast<std::int64_t>(static_cast<double>(held_->end) + pad_);
}

void Segmenter::release(std::vector<Segment>& out) {
  held_->end = padded_end();
  out.push_back(*held_);
  held_.reset();
}

std::int64_t Segmenter::earliest() const {
  if (held_) return held_->begin;
  const std::int64_t next = start_ ? *start_ : window_ * windows_;
  return std::max<std::int64_t>(
      0, next - static_cast<std::int64_t>(std::ceil(pad_)));
}

void Segmenter::finish(std::int64_t length, std::vector<Segment>& out) {
  if (start_ &&
      static_cast<double>(length - *start_) > samples(rules_.min_speech_ms)) {
    keep({.begin = *start_, .end = length}, out);
  }
  start_.reset();
  if (!held_) return;
  held_->end = std::min(length, padded_end());
  out.push_back(*held_);
  held_.reset();
}

}  // namespace penstock::silero
