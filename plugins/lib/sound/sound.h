// Sound: any recording, or sound that is still coming, as one channel at one
// rate, piece by piece in little memory. Needs no libtorch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/media/audio_reader.h"

namespace penstock::audio {

class Sound {
 public:
  Sound() = default;
  Sound(const Sound&) = delete;
  Sound& operator=(const Sound&) = delete;
  virtual ~Sound() = default;

  /// Sample rate, in samples a second.
  [[nodiscard]] virtual std::int64_t rate() const = 0;
  /// When its first sample is heard, in seconds on the recording's clock, which
  /// is 0 where the film or the sound begins.
  [[nodiscard]] virtual double begin() const = 0;
  /// What a person should know of what was read so far, a line each.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  /// Appends the next samples, -1..1, perhaps none; false: that was the end.
  /// Throws Error.
  [[nodiscard]] virtual bool read(std::vector<float>& out) = 0;
};

/// A recording, or the seconds [begin, end) of it, on its clock.
struct Recording {
  std::string path;  ///< the file, or a name for messages
  std::shared_ptr<const std::string> bytes;  ///< null: those of the file
  double begin = 0, end = 0;                 ///< end infinity: to the end
};

struct SoundOptions {
  std::int64_t rate = 16000;       ///< 0: that of the recording
  std::string resampler = "sinc";  ///< or "swresample"
  std::int64_t channel = 0;        ///< from 1 on: that one alone; 0: all mixed
  media::AudioOptions audio;       ///< for sound without a header its format
};

/// Opens a recording and reads its headers; throws Error.
[[nodiscard]] std::unique_ptr<Sound> open_sound(const Recording& recording,
                                                const SoundOptions& options);

/// Sound without a header. `read` gives pieces of bytes of any length,
/// and nothing at the end. Formats s16le, f32le and u8; throws
/// Error(kData) for others.
[[nodiscard]] std::unique_ptr<Sound> live_sound(
    std::function<std::optional<std::string>()> read,
    const SoundOptions& options);

}  // namespace penstock::audio
