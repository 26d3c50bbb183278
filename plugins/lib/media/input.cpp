#include "lib/media/input.h"

extern "C" {
#include <libavutil/dict.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <new>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace penstock::media {
namespace {

constexpr int kBuffer = 1 << 16;

/// Demuxers that may be tried, by FFmpeg's names. None of
/// them opens other files.
constexpr std::array kFormats = {
    "3gp", "aac",  "ac3",  "aiff", "amr",       "ape",   "asf", "au",
    "avi", "caf",  "dts",  "eac3", "f32le",     "flac",  "flv", "g722",
    "gif", "h264", "hevc", "ivf",  "m4v",       "mlp",   "mov", "mp3",
    "mpc", "mpeg", "ogg",  "rm",   "mpegts",    "s16le", "swf", "matroska",
    "tta", "u8",   "voc",  "w64",  "mpegvideo", "wav",   "wv",  "truehd"};

bool is_allowed(std::string_view names) {
  // A demuxer's name is a list: "mov,mp4,m4a,3gp,3g2,mj2".
  while (!names.empty()) {
    const auto comma = names.find(',');
    const auto one = names.substr(0, comma);
    if (std::find(kFormats.begin(), kFormats.end(), one) != kFormats.end()) {
      return true;
    }
    names = comma == std::string_view::npos ? "" : names.substr(comma + 1);
  }
  return false;
}

/// Refuses every file but the first; FFmpeg asks here before it opens one.
int refuse_open(AVFormatContext* /*format*/, AVIOContext** /*io*/,
                const char* /*url*/, int /*flags*/,
                AVDictionary** /*options*/) {
  return AVERROR(EPERM);
}

/// The options of one call, freed when it is over.
class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() { av_dict_free(&dictionary_); }
  void set(const char* key, std::int64_t value) {
    av_dict_set_int(&dictionary_, key, value, 0);
  }
  [[nodiscard]] AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

const AVInputFormat* named_format(const Format& format) {
  const AVInputFormat* found = av_find_input_format(format.name.c_str());
  if (found == nullptr || !is_allowed(found->name)) {
    throw Error(Code::kUsage,
                str("format '", format.name,
                    "' is not read; use auto, or for bytes without a header "
                    "s16le, f32le, u8 or g722"));
  }
  return found;
}

}  // namespace

Input::Input(std::string name, std::unique_ptr<ByteSource> source,
             const Format& format, const Limits& limits)
    : name_(std::move(name)),
      source_(std::move(source)),
      ending_(extent_of(*source_)),
      max_pixels_(limits.max_pixels) {
  av_log_set_level(AV_LOG_QUIET);
  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBuffer));
  if (buffer == nullptr) throw std::bad_alloc();
  io_.reset(avio_alloc_context(buffer, kBuffer, 0, this, &read_bytes, nullptr,
                               &seek));
  format_.reset(avformat_alloc_context());
  if (!io_ || !format_) throw std::bad_alloc();
  const AVInputFormat& demuxer = find_demuxer(format);
  open(demuxer, format, limits);
  const double seconds = stated_seconds();
  if (seconds > limits.max_seconds) {
    throw Error(Code::kData, str("'", name_, "' lasts ", seconds,
                                 " s; the limit is ", limits.max_seconds));
  }
}

const AVInputFormat& Input::find_demuxer(const Format& format) {
  if (format.name != "auto") return *named_format(format);
  const AVInputFormat* demuxer = nullptr;
  // The base name only: FFmpeg takes it for a hint, never for a place.
  const auto base = std::filesystem::path(name_).filename().string();
  const int error =
      av_probe_input_buffer2(io_.get(), &demuxer, base.c_str(), nullptr, 0, 0);
  if (error < 0 || demuxer == nullptr) {
    throw Error(Code::kData, str("'", name_,
                                 "' is in no format of sound or film that is "
                                 "known"));
  }
  if (!is_allowed(demuxer->name)) {
    throw Error(Code::kData, str("'", name_, "' is in the format ",
                                 demuxer->name, ", which is not read"));
  }
  return *demuxer;
}

void Input::open(const AVInputFormat& demuxer, const Format& format,
                 const Limits& limits) {
  format_->pb = io_.get();
  format_->io_open = &refuse_open;
  Options options;
  // Options that only demuxers of raw samples know.
  if (format.sample_rate > 0) {
    options.set("sample_rate", format.sample_rate);
    options.set("channels", format.channels);
  }
  AVFormatContext* context = format_.release();  // freed by it when it fails
  int error = avformat_open_input(&context, nullptr, &demuxer, options.get());
  format_.reset(context);
  if (error >= 0) error = find_streams(limits);
  if (error < 0) {
    throw Error(Code::kData, str("'", name_, "' is damaged or no ",
                                 demuxer.name, " file: ", words(error)));
  }
}

int Input::find_streams(const Limits& limits) {
  ending_.note_headers(*format_);
  // What is over the limit has no size any more after the look into it.
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVCodecParameters& about = *format_->streams[i]->codecpar;
    stated_.emplace_back(about.width, about.height);
  }
  std::vector<Options> options(format_->nb_streams);
  std::vector<AVDictionary*> given;
  for (Options& one : options) {
    one.set("max_pixels", limits.max_pixels);
    one.set("threads", 1);
    given.push_back(*one.get());
  }
  const int error = avformat_find_stream_info(
      format_.get(), given.empty() ? nullptr : given.data());
  // FFmpeg puts other dictionaries in their places.
  for (std::size_t i = 0; i < given.size(); ++i) *options[i].get() = given[i];
  return error;
}

std::string Input::streams() const {
  std::string list;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVCodecParameters& about = *format_->streams[i]->codecpar;
    const char* type = is_cover(*format_->streams[i])
                           ? "cover picture"
                           : av_get_media_type_string(about.codec_type);
    list += str(i > 0 ? ", " : "", type == nullptr ? "other" : type, " (",
                avcodec_get_name(about.codec_id), ")");
  }
  return list.empty() ? "nothing" : list;
}

int Input::best_stream(AVMediaType type) const {
  const int best = av_find_best_stream(format_.get(), type, -1, -1, nullptr, 0);
  if (best < 0 || !is_cover(*format_->streams[best])) return best;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    if (stream.codecpar->codec_type == type && !is_cover(stream)) {
      return static_cast<int>(i);
    }
  }
  return AVERROR_STREAM_NOT_FOUND;
}

void Input::check_picture(std::size_t stream) const {
  const AVCodecParameters& about = *format_->streams[stream]->codecpar;
  auto [width, height] = std::pair(about.width, about.height);
  if (width == 0 && stream < stated_.size()) {
    std::tie(width, height) = stated_[stream];
  }
  // Where it is not stated, as in pictures that begin late, a decoder looks.
  if (std::int64_t{width} * height > max_pixels_) {
    throw Error(Code::kData,
                str("'", name_, "' states pictures of ", width, "x", height,
                    " pixels; the limit is ", max_pixels_));
  }
}

const AVStream& Input::choose(AVMediaType type) {
  chosen_ = best_stream(type);
  if (chosen_ < 0) {
    throw NoTrack(str("'", name_, "' has no ", av_get_media_type_string(type),
                      " track; it has: ", streams()));
  }
  if (type == AVMEDIA_TYPE_VIDEO) {
    check_picture(static_cast<std::size_t>(chosen_));
  }
  const AVStream& chosen = *format_->streams[chosen_];
  if (ending_.needs_others(chosen)) return chosen;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (static_cast<int>(i) != chosen_) {
      format_->streams[i]->discard = AVDISCARD_ALL;
    }
  }
  return chosen;
}

bool Input::read(AVPacket& packet) {
  for (;;) {
    av_packet_unref(&packet);
    const int error = av_read_frame(format_.get(), &packet);
    if (error == AVERROR_EOF) return false;
    if (error < 0) {
      throw Error(Code::kData, str("'", name_, "' is damaged: ", words(error)));
    }
    ending_.note_packet(*format_->streams[packet.stream_index], packet);
    // Some containers hold empty packets: "as before".
    if (packet.stream_index == chosen_ && packet.size > 0) return true;
  }
}

int Input::read_bytes(void* self, std::uint8_t* to, int size) {
  auto& input = *static_cast<Input*>(self);
  const std::int64_t got =
      input.source_->read(input.at_, to, static_cast<std::size_t>(size));
  if (got < 0) return AVERROR(static_cast<int>(-got));
  input.at_ += got;
  return got == 0 ? AVERROR_EOF : static_cast<int>(got);
}

std::int64_t Input::seek(void* self, std::int64_t offset, int whence) {
  auto& input = *static_cast<Input*>(self);
  const std::int64_t size = input.source_->size();
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return size;
    case SEEK_CUR:
      offset += input.at_;
      break;
    case SEEK_END:
      offset += size;
      break;
    default:
      break;
  }
  if (offset < 0) return AVERROR(EINVAL);
  input.at_ = offset;
  return offset;
}

}  // namespace penstock::media
