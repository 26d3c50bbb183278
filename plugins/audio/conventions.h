// Conventions: the many ways of a log-mel spectrogram, each with a name. A
// wrong one still "works", with bad results, so none is implied.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::audio {

enum class MelScale { kSlaney, kHtk };
enum class MelNorm { kNone, kSlaney };
enum class Log { kNone, kTen, kNatural };
/// What is done to the logarithms. Whisper: nothing is more than 8 below the
/// largest, then (x + 4) / 4.
enum class Scaling { kNone, kWhisper };
/// kHtk: the first sample of a frame has no sample before it.
enum class Emphasis { kNone, kHtk, kPlain };

struct Conventions {
  std::int64_t sample_rate = 16000;
  std::int64_t fft = 400;     ///< a window that is shorter is followed by zeros
  std::int64_t window = 400;  ///< samples, under a periodic Hann window
  std::int64_t hop = 160;
  /// Samples that must be there for a frame; the window or more.
  std::int64_t span = 400;
  /// Frames stand around their place, the ends are mirrored.
  bool is_centred = true;
  bool drop_last = false;  ///< the last frame is left out
  Emphasis emphasis = Emphasis::kNone;
  double emphasis_factor = 0;
  double power = 2;  ///< 1: magnitude
  std::int64_t mels = 80;
  MelScale scale = MelScale::kHtk;
  MelNorm norm = MelNorm::kNone;
  double low = 0, high = 8000;  ///< Hz
  double floor = 1e-10;  ///< what is smaller counts as this, before the log
  Log log = Log::kTen;
  Scaling scaling = Scaling::kNone;
  bool mels_first = true;         ///< [mels, frames]; else [frames, mels]
  std::int64_t pad_to = 0;        ///< samples, at least; with silence
  std::int64_t pad_multiple = 1;  ///< then to a multiple of it
};

/// "whisper" or "gemma3n".
[[nodiscard]] Conventions preset(const std::string& name);
/// What does not go together, or "".
[[nodiscard]] std::string conflict(const Conventions& conventions);

}  // namespace penstock::audio
