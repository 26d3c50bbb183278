#include "lib/sound/sound.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "lib/media/downmix.h"
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

/// The share of each channel in what is heard.
std::vector<float> shares_of(const std::string& name, std::vector<float> mixed,
                             std::int64_t channel) {
  if (channel == 0) return mixed;
  if (channel > static_cast<std::int64_t>(mixed.size())) {
    throw Error(Code::kData, str("'", name, "' has ", mixed.size(),
                                 " channels; there is no channel ", channel));
  }
  std::fill(mixed.begin(), mixed.end(), 0.0F);
  mixed[static_cast<std::size_t>(channel - 1)] = 1;
  return mixed;
}

/// Sums the channels by their shares. Equal ones are summed first: the mean of
/// two is exact.
void downmix(const media::Planes& planes, const std::vector<float>& shares,
             std::vector<float>& out) {
  const bool is_mean =
      std::equal(shares.begin() + 1, shares.end(), shares.begin());
  out.assign(planes.at(0).size(), 0.0F);
  for (std::size_t c = 0; c < planes.size(); ++c) {
    const float share = is_mean ? 1 : shares[c];
    if (share == 0) continue;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += planes[c][i] * share;
  }
  if (!is_mean || planes.size() == 1) return;
  for (float& sample : out) sample *= shares[0];
}

/// How much of two channels' energy is left in their mix.
class Energy {
 public:
  void add(const media::Planes& planes, const std::vector<float>& mix) {
    if (planes.size() != 2) return;
    for (const auto& plane : planes) {
      for (const float x : plane) channels_ += double{x} * x;
    }
    for (const float x : mix) mix_ += double{x} * x;
  }
  /// They are nearly each other's opposites.
  [[nodiscard]] bool is_cancelled() const {
    constexpr double kMinus30Db = 1e-3;
    return mix_ < kMinus30Db * channels_ / 2;
  }

 private:
  double channels_ = 0, mix_ = 0;
};

/// Cuts the seconds [begin, end) out of pieces that come in order.
class Range {
 public:
  /// `start`: when the first piece begins.
  Range(const Recording& recording, double start, int rate)
      : begin_(std::llround((recording.begin - start) * rate)),
        end_(std::isinf(recording.end)
                 ? INT64_MAX
                 : std::llround((recording.end - start) * rate)) {}

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
      : name_(recording.path),
        reader_(recording.path, recording.bytes, options.audio),
        range_(recording, reader_.begin(), reader_.info().sample_rate),
        begin_(std::max(recording.begin, reader_.begin())) {
    if (options.rate == 0) options.rate = reader_.info().sample_rate;
    rate_ = options.rate;
    resampler_ = make_resampler(reader_.info().sample_rate, options);
    if (!reader_.info().shares.empty()) {
      shares_ = shares_of(name_, reader_.info().shares, options.channel);
    }
    is_mix_ = options.channel == 0;
  }
  [[nodiscard]] std::int64_t rate() const override { return rate_; }
  [[nodiscard]] double begin() const override { return begin_; }
  [[nodiscard]] bool read(std::vector<float>& out) override {
    if (range_.is_over() || !reader_.read(block_)) {
      resampler_->finish(out);
      return false;
    }
    downmix(block_, shares_, mono_);
    if (is_mix_) energy_.add(block_, mono_);
    resampler_->push(range_.cut(mono_), out);
    return true;
  }
  [[nodiscard]] std::vector<std::string> warnings() const override {
    std::vector<std::string> all;
    if (reader_.damaged() > 0) {
      all.push_back(
          str("'", name_, "': damaged places left out: ", reader_.damaged()));
    }
    if (reader_.faulty() > 0) {
      all.push_back(str("'", name_,
                        "': samples that are no numbers, or far too large, "
                        "taken as silence: ",
                        reader_.faulty()));
    }
    if (energy_.is_cancelled()) {
      all.push_back(str("'", name_,
                        "': its channels are of opposite phase and cancel each "
                        "other out; channel: 1 hears the first alone"));
    }
    return all;
  }

 private:
  std::string name_;
  media::AudioReader reader_;
  Range range_;
  double begin_;
  bool is_mix_ = true;
  std::int64_t rate_ = 0;
  std::unique_ptr<Resampler> resampler_;
  std::vector<float> shares_;  ///< of each channel
  Energy energy_;
  media::Planes block_;
  std::vector<float> mono_;
};

/// One sample of a format without a header, as -1..1.
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
  return media::is_sound(value) ? value : 0;
}

class LiveSound final : public Sound {
 public:
  LiveSound(std::function<std::optional<std::string>()> read,
            const SoundOptions& options)
      : read_(std::move(read)),
        shares_(shares_of(
            "sound",
            media::mono_shares(static_cast<int>(options.audio.format.channels)),
            options.channel)),
        planes_(shares_.size()),
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
  [[nodiscard]] double begin() const override { return 0; }
  [[nodiscard]] bool read(std::vector<float>& out) override {
    const auto piece = read_();
    if (!piece) {
      resampler_->finish(out);
      return false;
    }
    bytes_ += *piece;
    const std::size_t frame = width_ * planes_.size();
    const std::size_t count = bytes_.size() / frame;
    for (std::size_t c = 0; c < planes_.size(); ++c) {
      planes_[c].resize(count);
      const char* from = bytes_.data() + c * width_;
      for (std::size_t i = 0; i < count; ++i) {
        planes_[c][i] = number(from + i * frame, width_);
      }
    }
    downmix(planes_, shares_, mono_);
    bytes_.erase(0, count * frame);  // a frame may be cut between two pieces
    resampler_->push(mono_, out);
    return true;
  }

 private:
  std::function<std::optional<std::string>()> read_;
  std::vector<float> shares_;  ///< of each channel
  media::Planes planes_;
  std::size_t width_ = 0;
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
