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
  /// False: a damaged picture is left out and counted, a cut file is read to
  /// where it ends. True: both are errors.
  bool is_strict = true;
  /// Pixels that are not square are stretched in width until they are.
  bool is_square = true;
  /// What a film is taken for that does not name its colour matrix; otherwise
  /// it is BT.601, as FFmpeg takes it.
  bool is_bt709 = false;
  int threads = 1;  ///< that decode; the pictures are the same
};

/// One thread at a time. Throws Error(kData) with the file's name and what is
/// wrong, Error(kNotFound) when there is no such file.
class VideoReader {
 public:
  /// `bytes` null: reads the file `name`.
  VideoReader(const std::string& name,
              const std::shared_ptr<const std::string>& bytes,
              const VideoOptions& options = {});

  [[nodiscard]] const VideoInfo& info() const { return info_; }
  /// When the first picture comes on, on the film's clock.
  [[nodiscard]] double begin() const { return begin_; }
  /// Goes on to the next picture; false: the end.
  [[nodiscard]] bool next();

  // Of the picture that next() came to:
  /// Its time stamp in the file; nothing says that it begins at 0.
  [[nodiscard]] std::int64_t pts() const { return shown_.pts; }
  /// Seconds on the film's clock, which is 0 where the file begins, be it with
  /// sound or with a picture.
  [[nodiscard]] double time() const { return shown_.time; }
  /// When the next one comes on.
  [[nodiscard]] double until() const { return until_; }
  /// Whether no other follows.
  [[nodiscard]] bool is_last() const { return !has_ahead_; }
  /// 0, 1, ...
  [[nodiscard]] std::int64_t index() const { return index_; }
  /// Upright and square; films may change it.
  [[nodiscard]] Size size() const;
  /// Writes [height, width, 3] bytes of red, green and blue.
  void copy_to(std::uint8_t* rgb);

  /// Pictures and packets left out so far.
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
