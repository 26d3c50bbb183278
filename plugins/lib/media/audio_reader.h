// AudioReader: the sound track of a file, decoded piece by
// piece in little memory.
//
//   AudioReader reader("talk.mp4", nullptr);
//   Planes block;
//   while (reader.read(block)) ...
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/media/input.h"
#include "lib/media/planes.h"

namespace penstock::media {

struct AudioInfo {
  int sample_rate = 0;
  int channels = 0;
  std::vector<float> shares;  ///< of each channel in one, see downmix.h
  double seconds = 0;         ///< as the file states; 0: unknown
  std::string codec;
};

struct AudioOptions {
  Format format;
  Limits limits;
  /// Whether damage is an error. If not, a damaged packet is left out and
  /// counted, and a cut file is read to where it ends.
  bool is_strict = true;
};

/// Reads one file, on one thread at a time. Throws Error(kData) with the file's
/// name and what is wrong, Error(kNotFound) when there is no such file.
class AudioReader {
 public:
  /// Opens `bytes`, or the file `name` where they are null.
  AudioReader(const std::string& name,
              const std::shared_ptr<const std::string>& bytes,
              const AudioOptions& options = {});

  [[nodiscard]] const AudioInfo& info() const { return info_; }
  /// When the sound begins, in seconds on the file's clock, which is 0 where
  /// the first of its tracks begins.
  [[nodiscard]] double begin() const { return begin_; }
  /// The next samples, at least one; false: the end. Where the time stamps have
  /// a hole, silence fills it, so that the clock goes on.
  [[nodiscard]] bool read(Planes& block);
  /// Number of packets left out so far.
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }
  /// Samples taken as 0 so far, because they were no numbers or far too large.
  [[nodiscard]] std::int64_t faulty() const { return faulty_; }

 private:
  [[nodiscard]] bool next_frame();
  void feed();
  /// Looks at the frame that was decoded.
  void accept();
  void check_frame() const;
  void follow_clock();
  void check_length() const;
  /// Seconds of silence before a frame with this time stamp.
  [[nodiscard]] double hole_before(double stamp) const;
  void check_end() const;
  void damage(int error);

  AudioOptions options_;
  std::unique_ptr<Input> input_;
  AudioInfo info_;
  Decoder decoder_;
  Packet packet_;
  Frame frame_;
  bool is_drained_ = false;
  bool has_frame_ = false;  ///< one that was not given yet
  int unit_ = 0;            ///< bytes of a sample of all channels, of PCM
  bool has_stamps_ = true;  ///< that can be believed
  double begin_ = 0;
  std::optional<double> start_;  ///< the time stamp that is 0 on the clock
  double next_ = 0;              ///< the time stamp that should follow
  std::int64_t hole_ = 0;        ///< samples before the frame that are missing
  std::int64_t longest_ = 0;     ///< samples of a frame
  std::int64_t samples_ = 0, damaged_ = 0, faulty_ = 0;
};

}  // namespace penstock::media
