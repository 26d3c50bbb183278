#include "lib/sound/sound.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "lib/sound/resampler.h"
#include "penstock/error.h"

namespace penstock::audio {
namespace {

std::unique_ptr<Resampler> make_resampler(std::int64_t from,
                                          const SoundOptions& options) {
  return options.resampler == "sinc" || options.rate == from
             ? make_sinc_resampler(from, options.rate)
             : make_swr_resampler(from, options.rate);
}

/// The mean of the channels.
void downmix(const media::Planes& planes, std::vector<float>& out) {
  out = planes.at(0);
  if (planes.size() == 1) return;
  for (std::size_t c = 1; c < planes.size(); ++c) {
    const auto& plane = planes[c];
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += plane[i];
  }
  const auto scale = 1.0F / static_cast<float>(planes.size());
  for (float& sample : out) sample *= scale;
}

/// Cuts the seconds [begin, end) out of pieces that come in order.
class Range {
 public:
  Range(const Recording& recording, int rate)
      : begin_(static_cast<std::int64_t>(std::llround(recording.begin * rate))),
        end_(std::isinf(recording.end) ? INT64_MAX
                                       : static_cast<std::int64_t>(std::llround(
                                             recording.end * rate))) {}

  [[nodiscard]] std::span<const float> cut(const std::vector<float>& piece) {
    const auto size = static_cast<std::int64_t>(piece.size());
    const std::int64_t from = std::clamp(begin_ - at_, std::int64_t{0}, size);
    const std::int64_t to = std::clamp(end_ - at_, from, size);
    at_ += size;
    return std::span(piece).subspan(static_cast<std::size_t>(from),
                                    static_cast<std::size_t>(to - from));
  }
  [[nodiscard]] bool is_over() const { return at_ >= end_; }

 private:
  std::int64_t begin_, end_, at_ = 0;
};

class RecordedSound final : public Sound {
 public:
  RecordedSound(const Recording& recording, SoundOptions options)
      : reader_(recording.path, recording.bytes, options.audio),
        range_(recording, reader_.info().sample_rate) {
    if (options.rate == 0) options.rate = reader_.info().sample_rate;
    rate_ = options.rate;
    resampler_ = make_resampler(reader_.info().sample_rate, options);
  }
  [[nodiscard]] std::int64_t rate() const override { return rate_; }
  [[nodiscard]] bool read(std::vector<float>& out) override {
    if (range_.is_over() || !reader_.read(block_)) {
      resampler_->finish(out);
      return false;
    }
    downmix(block_, mono_);
    resampler_->push(range_.cut(mono_), out);
    return true;
  }

 private:
  media::AudioReader reader_;
  Range range_;
  std::int64_t rate_ = 0;
  std::unique_ptr<Resampler> resampler_;
  media::Planes block_;
  std::vector<float> mono_;
};

/// One number of a format without a header, as -1..1.
float number(const char* bytes, std::size_t width) {
  if (width == 1) {
    return (static_cast<float>(static_cast<unsigned char>(*bytes)) - 128) / 128;
  }
  if (width == 2) {
    std::int16_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<float>(value) / 32768;
  }
  float value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0;
}

class LiveSound final : public Sound {
 public:
  LiveSound(std::function<std::optional<std::string>()> read,
            const SoundOptions& options)
      : read_(std::move(read)),
        channels_(static_cast<std::size_t>(options.audio.format.channels)),
        rate_(options.rate) {
    const media::Format& format = options.audio.format;
    const std::string& name = format.name;
    width_ = name == "u8" ? 1 : name == "s16le" ? 2 : name == "f32le" ? 4 : 0;
    if (width_ == 0) {
      throw Error(Code::kData, str("sound that is still coming is u8, s16le or "
                                   "f32le, not ",
                                   name));
    }
    if (rate_ == 0) rate_ = format.sample_rate;
    SoundOptions known = options;
    known.rate = rate_;
    resampler_ = make_resampler(format.sample_rate, known);
  }
  [[nodiscard]] std::int64_t rate() const override { return rate_; }
  [[nodiscard]] bool read(std::vector<float>& out) override {
    const auto piece = read_();
    if (!piece) {
      resampler_->finish(out);
      return false;
    }
    bytes_ += *piece;
    const std::size_t frame = width_ * channels_;
    const std::size_t count = bytes_.size() / frame;
    mono_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels_; ++c) {
        sum += number(bytes_.data() + (i * channels_ + c) * width_, width_);
      }
      mono_[i] = sum / static_cast<float>(channels_);
    }
    bytes_.erase(0, count * frame);  // a frame may be cut between two pieces
    resampler_->push(mono_, out);
    return true;
  }

 private:
  std::function<std::optional<std::string>()> read_;
  std::size_t channels_, width_ = 0;
  std::int64_t rate_;
  std::unique_ptr<Resampler> resampler_;
  std::string bytes_;
  std::vector<float> mono_;
};

}  // namespace

std::unique_ptr<Sound> open_sound(const Recording& recording,
                                  const SoundOptions& options) {
  return std::make_unique<RecordedSound>(recording, options);
}

std::unique_ptr<Sound> live_sound(
    std::function<std::optional<std::string>()> read,
    const SoundOptions& options) {
  return std::make_unique<LiveSound>(std::move(read), options);
}

}  // namespace penstock::audio
