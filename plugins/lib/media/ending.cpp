#include "lib/media/ending.h"

extern "C" {
#include <libavutil/dict.h>
#include <libavutil/parseutils.h>
}

#include <algorithm>
#include <string_view>

namespace penstock::media {
namespace {

/// Times are rounded, and encoders begin before the sound.
constexpr double kRounding = 0.1;
/// What the length of a whole film may be off.
constexpr double kFilm = 1;
constexpr double kShareOfFilm = 0.05;

/// Matroska's statistics: "00:00:02.708000000", with "-eng" in some names.
std::optional<double> duration_tag(const AVStream& stream) {
  const AVDictionaryEntry* tag = nullptr;
  while ((tag = av_dict_get(stream.metadata, "DURATION", tag,
                            AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    const std::string_view rest(tag->key + std::string_view("DURATION").size());
    std::int64_t microseconds = 0;
    if ((rest.empty() || rest.starts_with('-')) &&
        av_parse_time(&microseconds, tag->value, 1) >= 0) {
      return static_cast<double>(microseconds) / AV_TIME_BASE;
    }
  }
  return std::nullopt;
}

double seconds(std::int64_t count, const AVStream& stream) {
  return static_cast<double>(count) * av_q2d(stream.time_base);
}

}  // namespace

void Ending::note_headers(const AVFormatContext& format) {
  const std::string_view name(format.iformat->name);
  const bool is_matroska = name.starts_with("matroska");
  // It writes the film's length, lead-in included, into each track.
  const bool is_asf = name == "asf";
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const bool is_stated =
        stream.duration != AV_NOPTS_VALUE && stream.duration > 0 && !is_asf;
    headers_.push_back(is_stated ? seconds(stream.duration, stream) : 0);
    // Tags of others come from whoever liked to write them.
    tags_.push_back(is_matroska ? duration_tag(stream) : std::nullopt);
  }
}

void Ending::note_packet(const AVStream& stream, const AVPacket& packet) {
  if (packet.pts == AV_NOPTS_VALUE || is_cover(stream)) return;
  reach_ = std::max(reach_, seconds(packet.pts + packet.duration, stream));
}

std::optional<double> Ending::stated(const AVStream& stream,
                                     double begin) const {
  const auto i = static_cast<std::size_t>(stream.index);
  // Streams that were found on the way have no header.
  if (i >= headers_.size()) return std::nullopt;
  if (tags_[i]) return tags_[i];
  if (headers_[i] > 0) return begin + headers_[i];
  return std::nullopt;
}

bool Ending::needs_others(const AVStream& stream) const {
  return extent_ == Extent::kUnknown && !stated(stream, 0);
}

std::optional<double> Ending::missing(const AVStream& stream,
                                      const Reached& reached,
                                      double file_seconds, double start) const {
  if (extent_ == Extent::kWhole) return std::nullopt;
  const auto own = stated(stream, reached.begin);
  const double wanted = own.value_or(file_seconds);
  const double end = own ? reached.end : std::max(reached.end, reach_ - start);
  const double allowed =
      own ? kRounding : std::max(kFilm, kShareOfFilm * file_seconds);
  if (wanted - end <= allowed + reached.slack) return std::nullopt;
  return wanted;
}

}  // namespace penstock::media
