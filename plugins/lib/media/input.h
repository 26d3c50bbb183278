// Input: a sound or film file, opened and understood, that gives its packets.
//
// FFmpeg reads through our own callbacks: it opens nothing by itself, neither
// files that a playlist names nor addresses. Only formats of a list are tried.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/media/byte_source.h"
#include "lib/media/ending.h"
#include "lib/media/ffmpeg.h"
#include "penstock/error.h"

namespace penstock::media {

/// What is read from headers and refused before anything is reached.
struct Limits {
  std::int64_t max_bytes = std::int64_t{16} << 30U;
  double max_seconds = 24 * 3600;
  int max_channels = 64;
  int max_sample_rate = 768000;
  std::int64_t max_pixels = 64'000'000;
};

/// Format of bytes without a header; with `name` "auto" the bytes tell.
struct Format {
  std::string name = "auto";     ///< a demuxer's: s16le, g722, ...
  std::int64_t sample_rate = 0;  ///< of raw samples
  std::int64_t channels = 1;     ///< of raw samples
};

/// What is wrong with a file that is whole but has no such track, or nothing in
/// it: a film without sound.
class NoTrack final : public Error {
 public:
  explicit NoTrack(const std::string& text) : Error(Code::kData, text) {}
};

class Input {
 public:
  /// Throws Error(kData) naming the file and what is wrong with it.
  Input(std::string name, std::unique_ptr<ByteSource> source,
        const Format& format, const Limits& limits);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() = default;

  /// Name for messages, as people know the file.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const AVFormatContext& format() const { return *format_; }
  /// The best stream of the kind; throws NoTrack that lists what there is when
  /// there is none, Error(kData) where its pictures are too large. The picture
  /// on an album's cover is no film.
  [[nodiscard]] const AVStream& choose(AVMediaType type);
  /// Reads the next packet of the chosen stream; false at the end.
  [[nodiscard]] bool read(AVPacket& packet);
  /// Length in seconds that the file's header states; 0:
  /// none, or FFmpeg's guess.
  [[nodiscard]] double stated_seconds() const;
  /// The time stamp that is 0 on the file's clock, in seconds: where the first
  /// of its tracks begins. Nothing: where its only one does, or it is not said.
  [[nodiscard]] std::optional<double> start_seconds() const;
  /// When the chosen track ends, if it begins at `begin`, on the file's clock
  /// and as the file states; 0: it does not, or guesses.
  [[nodiscard]] double stated_end(double begin) const;
  /// Throws Error(kData) where the file ends before its own bytes say.
  void refuse_cut() const;
  /// Call when read() has come to the end: throws Error(kData) where the
  /// chosen track has not. `what` ends: "its sound ends".
  void check_end(const char* what, const Reached& reached) const;

 private:
  [[nodiscard]] const AVInputFormat& find_demuxer(const Format& format);
  void open(const AVInputFormat& demuxer, const Format& format,
            const Limits& limits);
  [[nodiscard]] int find_streams(const Limits& limits);
  [[nodiscard]] int best_stream(AVMediaType type) const;
  [[nodiscard]] std::string streams() const;
  void check_picture(std::size_t stream) const;

  static int read_bytes(void* self, std::uint8_t* to, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  std::string name_;
  std::unique_ptr<ByteSource> source_;
  std::int64_t at_ = 0;
  Ending ending_;
  std::int64_t max_pixels_;
  std::vector<std::pair<int, int>> stated_;  ///< picture sizes by stream
  int chosen_ = -1;
  std::unique_ptr<AVIOContext, FreeIo> io_;
  std::unique_ptr<AVFormatContext, CloseFormat> format_;  ///< uses io_
};

}  // namespace penstock::media
