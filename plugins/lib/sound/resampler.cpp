#include "lib/sound/resampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>

namespace penstock::audio {
namespace {

constexpr float kZeroCrossings = 6;
constexpr double kRolloff = 0.99;
/// Sums side by side, so that the compiler can use vectors.
constexpr std::size_t kLanes = 16;

float dot(const float* a, const float* b, std::size_t count) {
  std::array<float, kLanes> sums{};
  for (std::size_t i = 0; i < count; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) sums[k] += a[i + k] * b[i + k];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

/// Resampler between equal rates: hands samples on.
class Same final : public Resampler {
 public:
  void push(std::span<const float> samples, std::vector<float>& out) override {
    out.insert(out.end(), samples.begin(), samples.end());
  }
  void finish(std::vector<float>& /*out*/) override {}
};

/// Sinc resampler: every `from_` samples give `to_`, each with a filter of its
/// own, which are torchaudio's taps that are not zero, from `offset` on.
class Sinc final : public Resampler {
 public:
  Sinc(std::int64_t from, std::int64_t to) : from_(from), to_(to) {
    const double base = kRolloff * static_cast<double>(std::min(from, to));
    const double reach = kZeroCrossings * static_cast<double>(from) / base;
    before_ = static_cast<std::int64_t>(std::ceil(reach));
    const auto taps = static_cast<std::size_t>(2 * before_ + 2);
    taps_ = (taps + kLanes - 1) / kLanes * kLanes;
    for (std::int64_t phase = 0; phase < to; ++phase) {
      add_filter(phase, static_cast<float>(base));
    }
    history_.assign(static_cast<std::size_t>(before_), 0.0F);
  }

  void push(std::span<const float> samples, std::vector<float>& out) override {
    length_ += static_cast<std::int64_t>(samples.size());
    history_.insert(history_.end(), samples.begin(), samples.end());
    drain(out, INT64_MAX);
  }

  void finish(std::vector<float>& out) override {
    const std::int64_t most = (length_ * to_ + from_ - 1) / from_;
    // Silence after the end, as far as the last filter reaches.
    history_.resize(history_.size() + taps_ + static_cast<std::size_t>(from_),
                    0.0F);
    drain(out, most);
  }

 private:
  /// Adds the filter of a phase. Float32 step by step, as torchaudio does it
  /// for float32 sound: in double the taps would differ from its own by 1e-5.
  void add_filter(std::int64_t phase, float base) {
    const auto from = static_cast<float>(from_);
    const float delay = static_cast<float>(-phase) / static_cast<float>(to_);
    const std::int64_t first = (phase * from_ + to_ - 1) / to_ - before_;
    offsets_.push_back(static_cast<std::size_t>(first + before_));
    for (std::size_t i = 0; i < taps_; ++i) {
      const float at = static_cast<float>(first + static_cast<int>(i)) / from;
      const float t = (delay + at) * base;
      filters_.push_back(std::abs(t) < kZeroCrossings ? tap(t) * base / from
                                                      : 0.0F);
    }
  }

  static float tap(float t) {
    constexpr auto kPi = std::numbers::pi_v<float>;
    const float window = std::cos(t * kPi / kZeroCrossings / 2);
    const float x = t * kPi;
    return (x == 0 ? 1 : std::sin(x) / x) * (window * window);
  }

  /// Computes what the history allows, up to sample `most` of the output.
  void drain(std::vector<float>& out, std::int64_t most) {
    std::size_t begin = 0;  // place in the history of a group of from_ samples
    const auto step = static_cast<std::size_t>(from_);
    for (; made_ < most; ++made_) {
      const auto phase = static_cast<std::size_t>(made_ % to_);
      const std::size_t at = begin + offsets_[phase];
      if (at + taps_ > history_.size()) break;
      out.push_back(dot(&history_[at], &filters_[phase * taps_], taps_));
      if (phase + 1 == static_cast<std::size_t>(to_)) begin += step;
    }
    history_.erase(history_.begin(),
                   history_.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  std::int64_t from_, to_, before_ = 0;
  std::size_t taps_ = 0;
  std::vector<std::size_t> offsets_;  ///< of a phase's filter, in its group
  std::vector<float> filters_;        ///< [to_][taps_]
  std::vector<float> history_;
  std::int64_t length_ = 0, made_ = 0;
};

}  // namespace

std::unique_ptr<Resampler> make_sinc_resampler(std::int64_t from,
                                               std::int64_t to) {
  if (from == to) return std::make_unique<Same>();
  const std::int64_t common = std::gcd(from, to);
  return std::make_unique<Sinc>(from / common, to / common);
}

}  // namespace penstock::audio
