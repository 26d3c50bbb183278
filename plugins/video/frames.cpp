#include "video/frames.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/media/missing.h"
#include "lib/media/video_reader.h"
#include "penstock/keys.h"
#include "penstock/media.h"
#include "video/sampler.h"

namespace penstock::video {
namespace {

constexpr std::int64_t kMostClipBytes = std::int64_t{1} << 30U;

std::string conflict(const Frames::Params& how) {
  const int rates = (how.fps > 0 ? 1 : 0) + (how.every > 0 ? 1 : 0);
  if (rates > 1)
    return "fps and every exclude each other; set one of them to 0";
  if (how.clip && how.count == 0) {
    return "clip: true needs count, the number of its frames";
  }
  if (!how.clip && rates > 0 && how.count > 0) {
    return "count spreads frames over the film: set fps and every to 0, or use "
           "max_frames for a limit";
  }
  return "";
}

media::VideoOptions options_of(const Frames::Params& how) {
  media::VideoOptions options;
  options.is_strict = how.damaged == "refuse";
  options.is_square = how.square_pixels;
  options.is_bt709 = how.untagged == "bt709";
  options.threads = static_cast<int>(how.threads);
  options.limits.max_seconds = how.max_seconds;
  options.limits.max_pixels = how.max_pixels;
  return options;
}

media::NoTrack no_picture(const Media& media) {
  return media::NoTrack(str("'", media.name, "' has no picture between ",
                            media.begin, " and ", media.end, " s"));
}

SampleRule rule_of(const Frames::Params& how, const Media& media,
                   const media::VideoReader& reader) {
  SampleRule rule;
  rule.begin = media.begin;
  rule.end = media.end;
  if (how.max_frames > 0) rule.max_frames = how.max_frames;
  if (how.clip) rule.max_frames = std::min(rule.max_frames, how.count);
  rule.every = how.every;
  rule.fps = how.fps;
  if (rule.every > 0 || rule.fps > 0) return rule;
  rule.count = how.count;
  if (rule.count == 0) {
    rule.fps = 1;
    return rule;
  }
  const double seconds = reader.info().seconds;
  rule.begin = std::max(rule.begin, reader.begin());
  if (seconds > rule.begin) rule.end = std::min(rule.end, seconds);
  if (std::isinf(rule.end)) {
    throw Error(Code::kData, str("'", media.name,
                                 "' does not state how long it is, so its "
                                 "frames cannot be spread; use fps or every "
                                 "instead of count"));
  }
  if (rule.end <= rule.begin) throw no_picture(media);
  return rule;
}

at::Tensor picture_of(media::VideoReader& reader) {
  const media::Size size = reader.size();
  auto picture = at::empty({size.height, size.width, 3}, at::kByte);
  reader.copy_to(picture.mutable_data_ptr<std::uint8_t>());
  return picture;
}

/// Hands on each picture by itself.
class Pieces {
 public:
  Pieces(const Item& in, ItemSink& out) : in_(in), out_(out) {}

  void add(const at::Tensor& picture, double at, std::int64_t frame) {
    Item item;
    item.tokens = in_.tokens;
    item.notes = in_.notes;
    set(item.notes, kTime, at);
    set(item.notes, kFrame, frame);
    set(item.notes, kHeight, picture.size(0));
    set(item.notes, kWidth, picture.size(1));
    item.inputs = in_.inputs;
    item.inputs.emplace_back("picture", picture);
    out_.push(std::move(item));
  }
  void end() {}

 private:
  const Item& in_;
  ItemSink& out_;
};

/// Collects the pictures of one clip.
class Clip {
 public:
  Clip(Item in, std::int64_t count, ItemSink& out)
      : in_(std::move(in)), count_(count), out_(out) {}

  void add(const at::Tensor& picture, double /*at*/, std::int64_t frame) {
    if (!clip_.defined()) begin(picture);
    if (picture.sizes() != clip_.sizes().slice(1)) {
      throw Error(Code::kData,
                  str("the film's pictures change from ", clip_.size(2), "x",
                      clip_.size(1), " to ", picture.size(1), "x",
                      picture.size(0), ": they do not fit into one clip"));
    }
    const auto place = static_cast<std::int64_t>(frames_.size());
    clip_[place].copy_(picture);
    mask_[place].fill_(1);
    frames_.push_back(frame);
  }
  void end() {
    set(in_.notes, kHeight, clip_.size(1));
    set(in_.notes, kWidth, clip_.size(2));
    set(in_.notes, kFrames, std::move(frames_));
    in_.inputs.emplace_back("clip", clip_);
    in_.inputs.emplace_back("frame_mask", mask_);
    out_.push(std::move(in_));
  }

 private:
  void begin(const at::Tensor& picture) {
    const std::int64_t bytes = count_ * picture.numel();
    if (bytes > kMostClipBytes) {
      throw Error(Code::kData,
                  str("a clip of ", count_, " frames of ", picture.size(1), "x",
                      picture.size(0), " has ", bytes, " bytes; the limit is ",
                      kMostClipBytes, ": ask for fewer frames"));
    }
    clip_ = at::zeros({count_, picture.size(0), picture.size(1), 3}, at::kByte);
    mask_ = at::zeros({count_}, at::kByte);
  }

  Item in_;
  std::int64_t count_;
  ItemSink& out_;
  at::Tensor clip_, mask_;
  Tokens frames_;
};

template <class Taker>
void read(media::VideoReader& reader, const SampleRule& rule,
          const Media& media, const std::stop_token& stop, Taker taker) {
  Sampler sampler(rule);
  while (!sampler.is_over() && reader.next()) {
    if (stop.stop_requested()) throw Cancelled();
    sampler.show(reader.time(), reader.until(), reader.is_last());
    at::Tensor picture;
    while (const auto at = sampler.take()) {
      if (!picture.defined()) picture = picture_of(reader);
      taker.add(picture, *at, reader.index());
    }
  }
  if (sampler.taken() == 0) {
    throw no_picture(media);
  }
  taker.end();
}

void declare_choice(Declaration<Frames>& d) {
  using P = Frames::Params;
  d.param("fps", &P::fps,
          "frames per second: those on screen at 0, 1/fps, ... seconds; 0: "
          "off, or 1 where count and every are off too")
      .range(0, 1000)
      .per_request();
  d.param("count", &P::count,
          "number of frames, spread evenly over the film; with clip the clip's "
          "length; 0: off")
      .range(0, 1 << 20)
      .per_request();
  d.param("every", &P::every, "take each n-th frame; 0: off")
      .range(0, 1 << 20)
      .per_request();
  d.param("max_frames", &P::max_frames,
          "most frames that are taken; 0: no limit")
      .range(0, 1 << 30)
      .per_request();
  d.param("clip", &P::clip,
          "give count frames and their frame_mask as one item, for models of "
          "clips");
}

}  // namespace

void Frames::declare(Declaration<Frames>& d) {
  d.doc("Some of a film's pictures, one by one or as a clip, by FFmpeg")
      .input(
          "video: media{3g2,3gp,asf,avi,f4v,flv,gif,h264,hevc,ivf,m1v,m2v,m4v,"
          "mkv,mov,mp4,mpeg,mpg,mts,ogg,ogv,rm,swf,ts,vob,webm,wmv}")
      .output("picture: u8[H,W,3]")
      .output("clip: u8[T,H,W,3]")
      .output("frame_mask: u8[T]")
      .makes(kTime, kFrame, kFrames, kWidth, kHeight, kPath, kVideoSeconds)
      .light();
  declare_choice(d);
  d.param("square_pixels", &Params::square_pixels,
          "stretch pictures whose pixels are not square");
  d.param("untagged", &Params::untagged,
          "colour space of a film that does not name its own")
      .choices({"bt601", "bt709"})
      .per_request();
  media::declare_missing(d, "pictures");
  d.param("damaged", &Params::damaged,
          "refuse: a damaged or cut film is an error; skip: leave damaged "
          "places out and read the rest")
      .choices({"refuse", "skip"})
      .per_request();
  d.param("threads", &Params::threads, "that decode one film").range(1, 64);
  d.param("max_seconds", &Params::max_seconds,
          "longest film in seconds; a longer one is refused")
      .range(0.001, 1e6)
      .per_request();
  d.param("max_pixels", &Params::max_pixels,
          "most pixels of a picture; more is refused before decoding")
      .range(1, 1 << 30)
      .per_request();
  d.check(conflict);
}

void Frames::preprocess(const Request& request, Item in, ItemSink& out) const {
  const auto& how = params<Params>(*this, request);
  media::read_if_any(how.missing, out,
                     [&] { watch(request, how, std::move(in), out); });
}

void Frames::watch(const Request& request, const Params& how, Item in,
                   ItemSink& out) {
  const Media media = media_input(request, "video");
  const std::string path = media.bytes ? media.name : media_path(media);
  media::VideoReader reader(path, media.bytes, options_of(how));
  const SampleRule rule = rule_of(how, media, reader);
  set(in.notes, kPath, media.name);
  set(in.notes, kVideoSeconds, reader.info().seconds);
  if (how.clip) {
    read(reader, rule, media, request.stop,
         Clip(std::move(in), how.count, out));
  } else {
    read(reader, rule, media, request.stop, Pieces(in, out));
  }
  if (reader.damaged() > 0) {
    out.warn(
        str("'", media.name, "': damaged places left out: ", reader.damaged()));
  }
}

}  // namespace penstock::video
