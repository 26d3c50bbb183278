// Segmenter: probabilities to segments of speech, by the rules of
// silero-vad's get_speech_timestamps, as they come in.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace penstock::silero {

struct SegmentRules {
  double threshold = 0.5;       ///< probability from which it is speech
  double end_threshold = 0.35;  ///< probability below which it may end
  double min_speech_ms = 250;   ///< speech this long or shorter is dropped
  double min_silence_ms = 100;  ///< silence this long ends speech
  double pad_ms = 30;           ///< added on both sides
  double max_speech_s = std::numeric_limits<double>::infinity();
};

/// The end threshold that the reference has for a threshold.
[[nodiscard]] double end_threshold_for(double threshold);

/// Speech, in samples [begin, end).
struct Segment {
  std::int64_t begin = 0, end = 0;
  bool operator==(const Segment&) const = default;
};

class Segmenter {
 public:
  /// `window`: samples that a probability is for.
  Segmenter(const SegmentRules& rules, std::int64_t sample_rate,
            std::int64_t window);

  /// Takes the next probability; appends segments that are certain.
  void push(double probability, std::vector<Segment>& out);
  /// Ends the sound after `length` samples; appends the last segments.
  void finish(std::int64_t length, std::vector<Segment>& out);
  /// The first sample at which a later segment may begin.
  [[nodiscard]] std::int64_t earliest() const;

 private:
  struct Silence {
    std::int64_t begin = 0, length = 0;
  };
  [[nodiscard]] double samples(double ms) const;
  void resume(std::int64_t now);
  void split(std::int64_t now, std::vector<Segment>& out);
  void fall_silent(std::int64_t now, std::vector<Segment>& out);
  void keep(Segment segment, std::vector<Segment>& out);
  void release(std::vector<Segment>& out);
  [[nodiscard]] std::int64_t padded_end() const;

  SegmentRules rules_;
  std::int64_t rate_, window_;
  double pad_;  ///< samples
  std::int64_t windows_ = 0;
  std::optional<std::int64_t> start_;    ///< begin of the current speech
  std::optional<std::int64_t> silence_;  ///< where that speech may have ended
  std::vector<Silence> silences_;        ///< within it, worth a split
  std::optional<Segment> held_;  ///< complete, but the gap after it is not
};

}  // namespace penstock::silero
