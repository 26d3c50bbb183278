// Ending: whether a track was read to its end, by what the file itself says:
// its bytes first, then the length of this track, then that of all tracks.
// Tracks of a film may well end before others, and begin after them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/media/extent.h"
#include "lib/media/ffmpeg.h"

namespace penstock::media {

/// What was decoded of a track, in seconds on the file's clock.
struct Reached {
  double begin = 0, end = 0;
  /// How far the end may be off: of the last picture nobody may have said how
  /// long it stays, and encoders fill up their last frame.
  double slack = 0;
};

class Ending {
 public:
  explicit Ending(Extent extent) : extent_(extent) {}

  /// Whether the file ends before its own bytes say.
  [[nodiscard]] bool is_cut() const { return extent_ == Extent::kCut; }
  /// Call when the headers are read and nothing else: FFmpeg later fills in
  /// what they lack.
  void note_headers(const AVFormatContext& format);
  /// Each packet of every track that is read.
  void note_packet(const AVStream& stream, const AVPacket& packet);

  /// When the track ends by its own statement, on the file's clock, if it
  /// begins at `begin`; nothing: it does not say.
  [[nodiscard]] std::optional<double> stated(const AVStream& stream,
                                             double begin) const;
  /// Whether the other tracks must be read to know whether this one is cut.
  [[nodiscard]] bool needs_others(const AVStream& stream) const;
  /// Where the track should have ended, if it or the whole file is cut there.
  /// `file_seconds`: as the file states; `start`: its clock's 0.
  [[nodiscard]] std::optional<double> missing(const AVStream& stream,
                                              const Reached& reached,
                                              double file_seconds,
                                              double start) const;

 private:
  Extent extent_;
  // By stream:
  std::vector<double> headers_;  ///< length in seconds; 0: not stated
  std::vector<std::optional<double>> tags_;  ///< end in seconds, of Matroska
  double reach_ = 0;  ///< the time stamp at which packets end
};

}  // namespace penstock::media
