// What an Input knows of times: where its clock begins, where its tracks end.
#include <algorithm>
#include <limits>

#include "lib/media/input.h"

namespace penstock::media {
namespace {

/// A start that no packet comes after: of a file of one track.
constexpr double kNoOther = std::numeric_limits<double>::infinity();

}  // namespace

double Input::stated_seconds() const {
  const bool is_guess =
      format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
  if (is_guess || format_->duration == AV_NOPTS_VALUE) return 0;
  return static_cast<double>(format_->duration) / AV_TIME_BASE;
}

std::optional<double> Input::start_seconds() const {
  int tracks = 0;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    const AVMediaType type = stream.codecpar->codec_type;
    const bool is_track =
        type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO;
    if (is_track && !is_cover(stream)) ++tracks;
  }
  if (tracks < 2 || format_->start_time == AV_NOPTS_VALUE) return std::nullopt;
  // Before 0 lies only what decoders throw away.
  return std::max(0.0, static_cast<double>(format_->start_time) / AV_TIME_BASE);
}

double Input::stated_end(double begin) const {
  const AVStream& stream = *format_->streams[chosen_];
  if (const auto own = ending_.stated(stream, begin)) return *own;
  const bool is_measured =
      format_->duration_estimation_method == AVFMT_DURATION_FROM_PTS &&
      stream.duration != AV_NOPTS_VALUE;
  if (!is_measured) return stated_seconds();
  return begin +
         static_cast<double>(stream.duration) * av_q2d(stream.time_base);
}

void Input::refuse_cut() const {
  if (!ending_.is_cut()) return;
  throw Error(Code::kData, str("'", name_,
                               "' is cut: it ends before its header says; "
                               "damaged: skip reads what is there"));
}

void Input::check_end(const char* what, const Reached& reached) const {
  const auto wanted =
      ending_.missing(*format_->streams[chosen_], reached, stated_seconds(),
                      start_seconds().value_or(kNoOther));
  if (!wanted) return;
  throw Error(Code::kData,
              str("'", name_, "' is cut: ", what, " after ", reached.end,
                  " of ", *wanted, " s; damaged: skip reads what is there"));
}

}  // namespace penstock::media
