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
#include "lib/media/ffmpeg.h"

namespace penstock::media {

/// What is read from headers and refused before anything is decoded.
struct Limits {
  std::int64_t max_bytes = std::int64_t{16} << 30U;
  double max_seconds = 24 * 3600;
  int max_channels = 64;
  int max_sample_rate = 768000;
  std::int64_t max_pixels = 64'000'000;
};

/// How to read bytes without a header; `format` "auto": ask the bytes.
struct Format {
  std::string name = "auto";     ///< a demuxer's: s16le, g722, ...
  std::int64_t sample_rate = 0;  ///< of raw samples
  std::int64_t channels = 1;     ///< of raw samples
};

class Input {
 public:
  /// Throws Error(kData) naming the file and what is wrong with it.
  Input(std::string name, std::unique_ptr<ByteSource> source,
        const Format& format, const Limits& limits);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() = default;

  /// As people know it, for messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const AVFormatContext& format() const { return *format_; }
  /// The best stream of the kind; throws Error(kData) that lists what there is
  /// when there is none, or whose pictures are too large. The others are not
  /// read from then on. The picture on an album's cover is no film.
  [[nodiscard]] const AVStream& choose(AVMediaType type);
  /// The next packet of the chosen stream; false: the end.
  [[nodiscard]] bool read(AVPacket& packet);
  /// Seconds as the file's header states them; 0: it does not, or guesses.
  [[nodiscard]] double stated_seconds() const;
  /// The time stamp at which the file begins, of all its streams, in seconds;
  /// nothing: it does not say.
  [[nodiscard]] std::optional<double> start_seconds() const;
  /// Whether the file ends before its header says.
  [[nodiscard]] bool is_cut() const { return is_cut_; }

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
  bool is_cut_ = false;
  std::int64_t max_pixels_;
  std::vector<std::pair<int, int>> stated_;  ///< sizes, by stream; or none
  int chosen_ = -1;
  std::unique_ptr<AVIOContext, FreeIo> io_;
  std::unique_ptr<AVFormatContext, CloseFormat> format_;  ///< uses io_
};

}  // namespace penstock::media
