#include "audio/note_events.h"

#include <algorithm>
#include <tuple>

namespace penstock::audio {
namespace {

/// So many quiet frames in a row end a note.
constexpr std::int64_t kQuiet = 11;
/// Frames back from which a rise shows a beginning.
constexpr std::int64_t kRise = 2;

/// Numbers by frame and key.
class Roll {
 public:
  explicit Roll(const at::Tensor& values)
      : frames_(values.size(0)), keys_(values.size(1)) {
    const at::Tensor numbers = values.to(at::kDouble).contiguous();
    const auto* const first = numbers.const_data_ptr<double>();
    values_.assign(first, first + numbers.numel());
  }

  [[nodiscard]] double& at(std::int64_t frame, std::int64_t key) {
    return values_[static_cast<std::size_t>(frame * keys_ + key)];
  }
  [[nodiscard]] double at(std::int64_t frame, std::int64_t key) const {
    return values_[static_cast<std::size_t>(frame * keys_ + key)];
  }
  [[nodiscard]] std::int64_t frames() const { return frames_; }
  [[nodiscard]] std::int64_t keys() const { return keys_; }
  [[nodiscard]] const std::vector<double>& all() const { return values_; }
  [[nodiscard]] double most() const {
    return values_.empty() ? 0
                           : *std::max_element(values_.begin(), values_.end());
  }

 private:
  std::int64_t frames_, keys_;
  std::vector<double> values_;
};

/// How much louder a key is than in each of the frames before, from 0.
double rise_at(const Roll& frames, std::int64_t frame, std::int64_t key) {
  if (frame < kRise) return 0;
  double least = frames.at(frame, key) - frames.at(frame - 1, key);
  for (std::int64_t back = 2; back <= kRise; ++back) {
    least =
        std::min(least, frames.at(frame, key) - frames.at(frame - back, key));
  }
  return std::max(least, 0.0);
}

/// The model's onsets, and those that sudden rises show, as high as them.
void add_rises(const Roll& frames, Roll& onsets) {
  double most = 0;
  for (std::int64_t t = 0; t < frames.frames(); ++t) {
    for (std::int64_t key = 0; key < frames.keys(); ++key) {
      most = std::max(most, rise_at(frames, t, key));
    }
  }
  if (most <= 0) return;
  const double loudest = onsets.most();
  for (std::int64_t t = 0; t < frames.frames(); ++t) {
    for (std::int64_t key = 0; key < frames.keys(); ++key) {
      const double rise = loudest * rise_at(frames, t, key) / most;
      onsets.at(t, key) = std::max(onsets.at(t, key), rise);
    }
  }
}

/// What is left of the frames while notes are taken out of them.
class NoteSearch {
 public:
  NoteSearch(const Roll& frames, const NoteRules& rules)
      : frames_(frames), rules_(rules), left_(frames) {}

  /// A note that begins there, if it is long enough.
  void from_onset(std::int64_t begin, std::int64_t key) {
    if (begin >= frames_.frames() - 1) return;
    std::int64_t end = begin + 1;
    std::int64_t quiet = 0;
    for (; end < frames_.frames() - 1 && quiet < kQuiet; ++end) {
      quiet = is_quiet(end, key) ? quiet + 1 : 0;
    }
    end -= quiet;
    if (end - begin <= rules_.min_frames) return;
    for (std::int64_t t = begin; t < end; ++t) silence(t, key);
    add(begin, end, key);
  }

  /// A note around a loud frame, to both sides; its frames are taken out
  /// whether it is long enough or not.
  void from_middle(std::int64_t middle, std::int64_t key) {
    left_.at(middle, key) = 0;
    std::int64_t end = middle + 1;
    std::int64_t quiet = 0;
    for (; end < frames_.frames() - 1 && quiet < kQuiet; ++end) {
      quiet = is_quiet(end, key) ? quiet + 1 : 0;
      silence(end, key);
    }
    end -= 1 + quiet;
    std::int64_t begin = middle - 1;
    for (quiet = 0; begin > 0 && quiet < kQuiet; --begin) {
      quiet = is_quiet(begin, key) ? quiet + 1 : 0;
      silence(begin, key);
    }
    begin += 1 + quiet;
    if (end - begin > rules_.min_frames) add(begin, end, key);
  }

  /// Notes around what is loud and belongs to none yet, the loudest first.
  void from_what_is_left() {
    std::vector<std::int64_t> loud;
    for (std::int64_t i = 0; i < std::ssize(left_.all()); ++i) {
      if (left_.all()[static_cast<std::size_t>(i)] > rules_.frame_threshold) {
        loud.push_back(i);
      }
    }
    const auto was = left_.all();
    std::stable_sort(loud.begin(), loud.end(),
                     [&](std::int64_t a, std::int64_t b) {
                       return was[static_cast<std::size_t>(a)] >
                              was[static_cast<std::size_t>(b)];
                     });
    for (const std::int64_t i : loud) {
      if (left_.all()[static_cast<std::size_t>(i)] == 0) continue;
      from_middle(i / left_.keys(), i % left_.keys());
    }
  }

  [[nodiscard]] std::vector<NoteEvent> take() && {
    std::sort(made_.begin(), made_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.begin, a.key, a.end) < std::tie(b.begin, b.key, b.end);
    });
    return std::move(made_);
  }

 private:
  [[nodiscard]] bool is_quiet(std::int64_t frame, std::int64_t key) const {
    return left_.at(frame, key) < rules_.frame_threshold;
  }
  /// The key and its neighbours, which sound along with it.
  void silence(std::int64_t frame, std::int64_t key) {
    const std::int64_t last = std::min(key + 1, left_.keys() - 1);
    for (std::int64_t k = std::max<std::int64_t>(key - 1, 0); k <= last; ++k) {
      left_.at(frame, k) = 0;
    }
  }
  void add(std::int64_t begin, std::int64_t end, std::int64_t key) {
    double sum = 0;
    for (std::int64_t t = begin; t < end; ++t) sum += frames_.at(t, key);
    made_.push_back({.begin = begin,
                     .end = end,
                     .key = key,
                     .loudness = sum / static_cast<double>(end - begin)});
  }

  const Roll& frames_;
  const NoteRules& rules_;
  Roll left_;
  std::vector<NoteEvent> made_;
};

}  // namespace

std::vector<NoteEvent> note_events(const at::Tensor& frames,
                                   const at::Tensor& onsets,
                                   const NoteRules& rules) {
  const Roll sounding(frames);
  Roll beginning(onsets);
  add_rises(sounding, beginning);
  NoteSearch notes(sounding, rules);
  // From the end, so that a note does not swallow the next one of its key.
  for (std::int64_t t = sounding.frames() - 2; t > 0; --t) {
    for (std::int64_t key = sounding.keys() - 1; key >= 0; --key) {
      const double here = beginning.at(t, key);
      const bool is_peak =
          here > beginning.at(t - 1, key) && here > beginning.at(t + 1, key);
      if (is_peak && here >= rules.onset_threshold) notes.from_onset(t, key);
    }
  }
  if (rules.faint) notes.from_what_is_left();
  return std::move(notes).take();
}

}  // namespace penstock::audio
