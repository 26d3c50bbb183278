#include "lib/media/audio_reader.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "penstock/error.h"

namespace penstock::media {
namespace {

std::unique_ptr<Input> open(const std::string& name,
                            const std::shared_ptr<const std::string>& bytes,
                            const AudioOptions& options) {
  const std::int64_t most = options.limits.max_bytes;
  return std::make_unique<Input>(name,
                                 bytes ? ByteSource::of_bytes(name, bytes, most)
                                       : ByteSource::open_file(name, most),
                                 options.format, options.limits);
}

void check(const std::string& name, const char* what, std::int64_t value,
           std::int64_t most) {
  if (value > 0 && value <= most) return;
  throw Error(Code::kData, str("'", name, "' states ", value, " ", what,
                               "; expected 1 to ", most));
}

}  // namespace

AudioReader::AudioReader(const std::string& name,
                         const std::shared_ptr<const std::string>& bytes,
                         const AudioOptions& options)
    : options_(options),
      input_(open(name, bytes, options)),
      packet_(make_packet()),
      frame_(make_frame()) {
  const AVStream& stream = input_->choose(AVMEDIA_TYPE_AUDIO);
  const AVCodecParameters& about = *stream.codecpar;
  const Limits& limits = options.limits;
  check(name, "channels", about.ch_layout.nb_channels, limits.max_channels);
  check(name, "samples a second", about.sample_rate, limits.max_sample_rate);
  if (options_.is_strict && input_->is_cut()) {
    throw Error(Code::kData, str("'", name,
                                 "' is cut: it ends before its header says; "
                                 "damaged: skip reads what is there"));
  }
  decoder_ = open_decoder(stream, name);
  if (!options_.is_strict) decoder_->err_recognition = 0;
  info_ = {.sample_rate = about.sample_rate,
           .channels = about.ch_layout.nb_channels,
           .seconds = input_->stated_seconds(),
           .codec = avcodec_get_name(about.codec_id)};
  // Headers of some codecs state half of the rate: the first frame knows.
  has_frame_ = next_frame();
  if (has_frame_) {
    info_.sample_rate = frame_->sample_rate;
    info_.channels = frame_->ch_layout.nb_channels;
    check_frame();
  }
}

void AudioReader::damage(int error) {
  ++damaged_;
  if (!options_.is_strict) return;
  throw Error(Code::kData,
              str("'", input_->name(), "' is damaged after ",
                  static_cast<double>(samples_) / info_.sample_rate, " s (",
                  info_.codec, ": ", words(error),
                  "); damaged: skip leaves such places out"));
}

void AudioReader::feed() {
  const bool has_packet = input_->read(*packet_);
  const int error =
      avcodec_send_packet(decoder_.get(), has_packet ? packet_.get() : nullptr);
  if (!has_packet) {
    is_drained_ = true;
  } else if (error < 0) {
    damage(error);
  }
}

bool AudioReader::next_frame() {
  for (;;) {
    const int error = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (error == 0 && frame_->nb_samples > 0) return true;
    if (error == AVERROR_EOF) return false;
    if (error == AVERROR(EAGAIN)) {
      if (is_drained_) return false;
      feed();
    } else if (error < 0) {
      damage(error);
    }
  }
}

void AudioReader::check_frame() {
  const Limits& limits = options_.limits;
  check(input_->name(), "channels", frame_->ch_layout.nb_channels,
        limits.max_channels);
  check(input_->name(), "samples a second", frame_->sample_rate,
        limits.max_sample_rate);
  if (frame_->sample_rate != info_.sample_rate ||
      frame_->ch_layout.nb_channels != info_.channels) {
    throw Error(Code::kData,
                str("'", input_->name(), "' changes from ", info_.channels,
                    " channels at ", info_.sample_rate, " Hz to ",
                    frame_->ch_layout.nb_channels, " at ", frame_->sample_rate,
                    ": such files are not read"));
  }
  samples_ += frame_->nb_samples;
  const double seconds = static_cast<double>(samples_) / info_.sample_rate;
  if (seconds > limits.max_seconds) {
    throw Error(Code::kData, str("'", input_->name(), "' lasts over ",
                                 limits.max_seconds, " s: that is the limit"));
  }
}

void AudioReader::check_end() const {
  const double seconds = static_cast<double>(samples_) / info_.sample_rate;
  if (samples_ == 0) {
    throw Error(Code::kData, str("'", input_->name(),
                                 "' has an audio track without any sound"));
  }
  // Film may be longer than its sound, so only much less is certain.
  const double missing = info_.seconds - seconds;
  if (options_.is_strict && missing > std::max(1.0, 0.2 * info_.seconds)) {
    throw Error(
        Code::kData,
        str("'", input_->name(), "' is cut: its sound ends after ", seconds,
            " of ", info_.seconds, " s; damaged: skip reads what is there"));
  }
}

bool AudioReader::read(Planes& block) {
  if (!std::exchange(has_frame_, false)) {
    if (!next_frame()) {
      check_end();
      return false;
    }
    check_frame();
  }
  to_planes(*frame_, block);
  return true;
}

}  // namespace penstock::media
