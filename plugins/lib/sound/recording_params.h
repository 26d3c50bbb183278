// What every stage that reads recordings lets a pipeline file say of them:
// params raw_format, raw_rate, raw_channels, channel, damaged and missing.
#pragma once

#include <string>

#include "lib/media/audio_reader.h"
#include "lib/media/missing.h"
#include "penstock/stage_spec.h"

namespace penstock::audio {

/// File endings that may hold sound, as facts of a media port.
inline constexpr const char* kRecordings =
    "3g2,3gp,aac,ac3,aif,aiff,amr,ape,asf,au,avi,caf,dts,f4v,flac,flv,g722,m4a,"
    "m4v,mka,mkv,mov,mp3,mp4,mpeg,mpg,oga,ogg,ogv,opus,raw,rm,swf,tta,ts,vob,"
    "voc,w64,wav,webm,wma,wmv,wv";

/// Declares the params; `headerless` is the doc of raw_format.
template <class Stage>
void declare_recording(Declaration<Stage>& d, const std::string& headerless) {
  using P = typename Stage::Params;
  d.param("raw_format", &P::raw_format, headerless)
      .choices({"none", "s16le", "f32le", "u8", "g722"})
      .per_request();
  d.param("raw_rate", &P::raw_rate,
          "samples per second of sound without a header")
      .range(1, 768000)
      .per_request();
  d.param("raw_channels", &P::raw_channels,
          "channels of sound without a header")
      .range(1, 64)
      .per_request();
  d.param("channel", &P::channel,
          "that one alone, from 1 on; 0: all, mixed as FFmpeg mixes them")
      .range(0, 64)
      .per_request();
  media::declare_missing(d, "sound");
  d.param("damaged", &P::damaged,
          "refuse: a damaged or cut file is an error; skip: leave damaged "
          "places out and read the rest")
      .choices({"refuse", "skip"})
      .per_request();
}

/// Options from the params; `format`: of bytes without a header, "none" where
/// they have one.
template <class Params>
media::AudioOptions audio_options(const Params& how,
                                  const std::string& format) {
  media::AudioOptions options;
  if (format != "none") {
    options.format.name = format;
    options.format.sample_rate = how.raw_rate;
    options.format.channels = how.raw_channels;
  }
  options.is_strict = how.damaged == "refuse";
  options.limits.max_seconds = how.max_seconds;
  return options;
}

}  // namespace penstock::audio
