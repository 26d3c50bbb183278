// Sampler: which pictures of a film are wanted. It knows times only, so films
// whose pictures come at uneven distances are sampled as evenly as others.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace penstock::video {

/// One of fps, count and every is above 0. All times in seconds on the film's
/// clock.
struct SampleRule {
  /// The picture on screen at begin, begin + 1/fps, ...: again and again where
  /// one stays longer, none before the first one comes on.
  double fps = 0;
  /// The pictures on screen at so many moments that divide the time evenly;
  /// fewer where a picture would come twice.
  std::int64_t count = 0;
  /// The first picture that comes on from `begin` on, then each n-th.
  std::int64_t every = 0;
  double begin = 0;
  double end = std::numeric_limits<double>::infinity();  ///< finite for count
  std::int64_t max_frames = std::numeric_limits<std::int64_t>::max();
};

/// For each picture of the film in turn: show(), then take() until it gives
/// nothing.
class Sampler {
 public:
  explicit Sampler(const SampleRule& rule) : rule_(rule) {}

  /// The picture that is on screen from `time` until `until`.
  void show(double time, double until, bool is_last);
  /// A moment at which that picture is wanted; nothing: no more of it.
  [[nodiscard]] std::optional<double> take();
  /// Whether no later picture is wanted.
  [[nodiscard]] bool is_over() const;
  /// Pictures given so far.
  [[nodiscard]] std::int64_t taken() const { return taken_; }

 private:
  [[nodiscard]] double moment() const;
  [[nodiscard]] bool is_due() const;
  [[nodiscard]] std::optional<double> take_nth();
  [[nodiscard]] std::optional<double> take_once();

  SampleRule rule_;
  double time_ = -std::numeric_limits<double>::infinity();
  double until_ = time_;
  bool is_last_ = false;
  bool has_begun_ = false;   ///< a picture was shown
  bool is_new_ = false;      ///< nothing was taken of this picture yet
  std::int64_t next_ = 0;    ///< the moment that is waited for
  std::int64_t passed_ = 0;  ///< pictures since begin
  std::int64_t taken_ = 0;
};

}  // namespace penstock::video
