// video.frames: a film to some of its pictures, one by one or as one clip.
#pragma once

#include <string>
#include <utility>

#include "penstock/preprocess.h"

namespace penstock::video {

/// Input: `video`, a film, its path or its bytes. Output: an item a frame with
/// picture u8[H,W,3], upright, in rgb, as soon as it is decoded. Notes: `time`
/// (seconds on the film's clock), `frame` (its number), `path`, `width`,
/// `height`, `video_seconds` (as the file states; 0: unknown).
///
/// With `clip` one item: clip u8[T,H,W,3] and frame_mask u8[T], T = count;
/// what the film lacks is black and 0 in the mask. Note `frames`: their
/// numbers.
class Frames final : public Preprocess {
 public:
  struct Params {
    double fps = 0;
    std::int64_t count = 0;
    std::int64_t every = 0;
    std::int64_t max_frames = 0;
    bool clip = false;
    bool square_pixels = true;
    std::string untagged = "bt601";
    std::string missing = "fail";
    std::string damaged = "refuse";
    std::int64_t threads = 1;
    double max_seconds = 6 * 3600;
    std::int64_t max_pixels = 64'000'000;
  };
  static void declare(Declaration<Frames>& d);
  explicit Frames(Params params) : params_(std::move(params)) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  static void watch(const Request& request, const Params& how, Item in,
                    ItemSink& out);

  Params params_;
};

}  // namespace penstock::video
