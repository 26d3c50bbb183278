// VideoReader: the pictures of a film, decoded one by one in little memory.
//
//   VideoReader reader("film.mp4", nullptr);
//   while (reader.next()) {
//     if (is_wanted(reader.time(), reader.until())) reader.copy_to(pixels);
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/media/input.h"
#include "lib/media/rgb.h"

namespace penstock::media {

struct VideoInfo {
  /// When its pictures end on the film's clock, as the file states; 0: unknown.
  /// Some are wrong.
  double seconds = 0;
  double frame_rate = 0;  ///< frames a second, a mean; 0: unknown
  std::string codec;
};

struct VideoOptions {
  Limits limits = {};
  /// Whether damage is an error. If not, a damaged picture is left out and
  /// counted, and a cut file is read to where it ends.
  bool is_strict = true;
  /// Whether pixels that are not square are stretched in width until they are.
  bool is_square = true;
  /// Whether a film that names no colour matrix is taken for BT.709; otherwise
  /// it is taken for BT.601, as FFmpeg does.
  bool is_bt709 = false;
  int threads = 1;  ///< of the decoder; the pictures are the same
};

/// Reads one file, on one thread at a time. Throws Error(kData) with the file's
/// name and what is wrong, Error(kNotFound) when there is no such file.
class VideoReader {
 public:
  /// Opens `bytes`, or the file `name` where they are null.
  VideoReader(const std::string& name,
              const std::shared_ptr<const std::string>& bytes,
              const VideoOptions& options = {});

  [[nodiscard]] const VideoInfo& info() const { return info_; }
  /// When the first picture comes on, on the film's clock.
  [[nodiscard]] double begin() const { return begin_; }
  /// Goes on to the next picture; false: the end.
  [[nodiscard]] bool next();

  // About the picture that next() came to:
  /// Time stamp in the file, which need not begin at 0.
  [[nodiscard]] std::int64_t pts() const { return shown_.pts; }
  /// Begin in seconds on the film's clock, which is 0 where the file begins, be
  /// it with sound or with a picture.
  [[nodiscard]] double time() const { return shown_.time; }
  /// Time at which the next picture comes on.
  [[nodiscard]] double until() const { return until_; }
  /// Whether no other picture follows.
  [[nodiscard]] bool is_last() const { return !has_ahead_; }
  /// Number of the picture: 0, 1, ...
  [[nodiscard]] std::int64_t index() const { return index_; }
  /// Size, upright and with square pixels; a film may change it on the way.
  [[nodiscard]] Size size() const;
  /// Writes the [height, width, 3] bytes of red, green and blue.
  void copy_to(std::uint8_t* rgb);

  /// Number of pictures and packets left out so far.
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }

 private:
  struct Picture {
    Frame frame;
    std::int64_t pts = 0;
    double time = 0;
  };

  void look_ahead();
  [[nodiscard]] bool decode(AVFrame& frame);
  void feed();
  void set_time(Picture& picture);
  void check_picture(const Picture& picture) const;
  void check_end() const;
  void damage(const std::string& what);
  [[nodiscard]] double duration_of(const Picture& picture) const;
  [[nodiscard]] AVRational aspect(const AVFrame& frame) const;

  VideoOptions options_;
  std::unique_ptr<Input> input_;
  const AVStream* stream_;
  VideoInfo info_;
  Decoder decoder_;
  Packet packet_;
  std::unique_ptr<RgbConverter> converter_;
  Picture shown_, ahead_;
  bool is_drained_ = false;
  bool has_ahead_ = false;
  bool has_start_ = false;
  double start_ = 0;  ///< the time stamp that is 0 on the film's clock
  double begin_ = 0, until_ = 0;
  double longest_ = 0;  ///< time of a picture that another followed
  std::int64_t index_ = -1, damaged_ = 0;
};

}  // namespace penstock::media
