// AudioReader: the sound track of a file, decoded piece by piece in little
// memory.
//
//   AudioReader reader("talk.mp4", nullptr);
//   Planes block;
//   while (reader.read(block)) ...
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/media/input.h"
#include "lib/media/planes.h"

namespace penstock::media {

struct AudioInfo {
  int sample_rate = 0;
  int channels = 0;
  double seconds = 0;  ///< as the file states; 0: unknown
  std::string codec;
};

struct AudioOptions {
  Format format;
  Limits limits;
  /// False: a damaged packet is left out and counted, a cut file is read to
  /// where it ends. True: both are errors.
  bool is_strict = true;
};

/// One thread at a time. Throws Error(kData) with the file's name and what is
/// wrong, Error(kNotFound) when there is no such file.
class AudioReader {
 public:
  /// `bytes` null: reads the file `name`.
  AudioReader(const std::string& name,
              const std::shared_ptr<const std::string>& bytes,
              const AudioOptions& options = {});

  [[nodiscard]] const AudioInfo& info() const { return info_; }
  /// The next samples, at least one; false: the end.
  [[nodiscard]] bool read(Planes& block);
  /// Packets left out so far.
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }

 private:
  [[nodiscard]] bool next_frame();
  void feed();
  void check_frame();
  void check_end() const;
  void damage(int error);

  AudioOptions options_;
  std::unique_ptr<Input> input_;
  AudioInfo info_;
  Decoder decoder_;
  Packet packet_;
  Frame frame_;
  bool is_drained_ = false;
  bool has_frame_ = false;  ///< the first one, decoded to see what it is
  std::int64_t samples_ = 0, damaged_ = 0;
};

}  // namespace penstock::media
