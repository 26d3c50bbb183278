#include "audio/spectrogram.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pad.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "audio/mel_filters.h"
#include "penstock/error.h"

namespace penstock::audio {
namespace {

/// Frames transformed at once: what they need stays in the cache.
constexpr std::int64_t kBlock = 128;

}  // namespace

Spectrogram::Spectrogram(const Conventions& conventions)
    : conventions_(conventions),
      window_(at::hann_window(conventions.window, at::kFloat)),
      filters_(mel_filters(conventions)) {}

std::int64_t Spectrogram::padded_length(std::int64_t length) const {
  const std::int64_t unit = conventions_.pad_multiple;
  const std::int64_t least = std::max(length, conventions_.pad_to);
  return (least + unit - 1) / unit * unit;
}

at::Tensor Spectrogram::padded(const at::Tensor& waveform) const {
  const Conventions& c = conventions_;
  const std::int64_t length = waveform.size(0);
  const std::int64_t wanted = padded_length(length);
  auto out = wanted == length
                 ? waveform
                 : at::pad(waveform, {0, wanted - length}, "constant", 0);
  if (!c.is_centred) return out;
  if (wanted <= c.fft / 2) {
    throw Error(Code::kData, str("the sound has ", wanted,
                                 " samples; a frame needs over ", c.fft / 2));
  }
  return at::pad(out.unsqueeze(0), {c.fft / 2, c.fft / 2}, "reflect")
      .squeeze(0);
}

/// Frames from here on hold zeros alone, whose spectrum is zeros too.
std::int64_t Spectrogram::sounding(std::int64_t length) const {
  const Conventions& c = conventions_;
  const std::int64_t reflected = c.is_centred ? c.fft / 2 : 0;
  const std::int64_t silence = padded_length(length) - length;
  if (silence < reflected) return std::numeric_limits<std::int64_t>::max();
  return (reflected + length + c.hop - 1) / c.hop;
}

at::Tensor Spectrogram::windowed(const at::Tensor& frames) const {
  const Conventions& c = conventions_;
  const auto now = frames.narrow(1, c.span - c.window, c.window);
  if (c.emphasis == Emphasis::kNone) {
    return frames.narrow(1, 0, c.window) * window_;
  }
  const double k = c.emphasis_factor;
  if (c.emphasis == Emphasis::kPlain) {
    return (now - frames.narrow(1, c.span - c.window - 1, c.window) * k) *
           window_;
  }
  // As in gemma3n: the frame is the first `window` of its samples.
  const auto own = frames.narrow(1, 0, c.window);
  auto out = own.clone();
  out.narrow(1, 1, c.window - 1)
      .sub_(own.narrow(1, 0, c.window - 1), /*alpha=*/k);
  out.narrow(1, 0, 1).mul_(1 - k);
  return out.mul_(window_);
}

at::Tensor Spectrogram::of(const at::Tensor& waveform) const {
  const Conventions& c = conventions_;
  const auto sound = padded(waveform);
  std::int64_t count = (sound.size(0) - c.span) / c.hop + 1;
  if (c.drop_last) --count;
  if (sound.size(0) < c.span || count < 1) {
    throw Error(Code::kData, str("the sound has ", waveform.size(0),
                                 " samples; a frame needs ", c.span));
  }
  const auto frames = sound.as_strided({count, c.span}, {c.hop, 1});
  auto out = at::zeros({count, c.mels}, at::kFloat);
  const std::int64_t heard = std::min(count, sounding(waveform.size(0)));
  for (std::int64_t at = 0; at < heard; at += kBlock) {
    const std::int64_t size = std::min(kBlock, heard - at);
    const auto spectrum = at::view_as_real(
        at::fft_rfft(windowed(frames.narrow(0, at, size)), c.fft, 1));
    const auto imaginary = spectrum.select(2, 1);
    auto energy = spectrum.select(2, 0).square().addcmul_(imaginary, imaginary);
    if (c.power == 1) energy.sqrt_();
    auto block = out.narrow(0, at, size);
    at::matmul_out(block, energy, filters_);
  }
  if (c.log != Log::kNone) out.clamp_min_(c.floor);
  if (c.log == Log::kTen) out.log10_();
  if (c.log == Log::kNatural) out.log_();
  if (c.scaling == Scaling::kWhisper) {
    out.clamp_min_(out.max().item<double>() - 8).add_(4).div_(4);
  }
  return c.mels_first ? out.t().contiguous() : out;
}

at::Tensor Spectrogram::mask(std::int64_t samples, std::int64_t frames) const {
  return at::arange(frames, at::kLong).mul(conventions_.hop).lt(samples);
}

}  // namespace penstock::audio
