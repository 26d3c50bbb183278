// audio.encode: the sound of a request as one WAV, FLAC or raw stream, piece by
// piece as it is made.
#pragma once

#include <string>
#include <utility>

#include "penstock/postprocess.h"

namespace penstock::audio {

/// Input: a tensor f32[T] or f32[C,T] in -1..1 of each item, as audio.save
/// takes it. Output: media, the stream's bytes in pieces, or, with `folder`,
/// the file's path; and JSON {"segments": [{"text", "begin", "end"}], "format",
/// "seconds", "sample_rate", "file"}.
class Encode final : public Postprocess {
 public:
  struct Params {
    std::string tensor = "waveform";
    std::string format = "wav";
    std::string folder;
    std::int64_t sample_rate = 0;
  };
  static void declare(Declaration<Encode>& d);
  explicit Encode(Params params) : params_(std::move(params)) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

}  // namespace penstock::audio
