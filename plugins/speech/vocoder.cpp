#include "speech/vocoder.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/view_as_complex.h>

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/random.h"
#include "penstock/tensor_names.h"
#include "speech/waveform.h"

namespace penstock::speech {
namespace {

constexpr std::int64_t kFewestFrames = 3;  // less cannot be mirrored

/// The same for a seed and a sentence, whoever else runs.
at::Tensor random_numbers(std::int64_t seed, std::int64_t item,
                          std::int64_t frames) {
  const auto place = splitmix64(static_cast<std::uint64_t>(seed) ^
                                splitmix64(static_cast<std::uint64_t>(item)));
  return at::view_as_complex(
      at::randn({kBins, frames, 2},
                at::make_generator<at::CPUGeneratorImpl>(place), at::kFloat));
}

/// One row of an output, without the dim that is always 1.
at::Tensor row_of(const Result& picked, const char* name, std::int64_t row) {
  at::Tensor out = get(picked.out, name)[row].cpu();
  while (out.dim() > 1 && out.size(0) == 1) out = out.squeeze(0);
  return out;
}

Spectra spectra_of(const Result& picked, std::int64_t row) {
  Spectra out{.harmonic = row_of(picked, "lh", row),
              .harmonic_phase = row_of(picked, "theta", row),
              .noise = row_of(picked, "ln", row),
              .free = row_of(picked, "lr", row),
              .free_phase = row_of(picked, "phi", row),
              .pitch = row_of(picked, "f0", row)};
  const std::int64_t frames = out.pitch.numel();
  for (const at::Tensor* each : {&out.harmonic, &out.harmonic_phase, &out.noise,
                                 &out.free, &out.free_phase}) {
    if (each->dim() == 2 && each->size(0) == kBins && each->size(1) == frames &&
        frames >= kFewestFrames) {
      continue;
    }
    throw ForwardFault(str("the model gives a spectrum of ", each->numel(),
                           " numbers beside ", frames,
                           " frames of pitch; expected [", kBins, ", ", frames,
                           "], ", kFewestFrames, " frames at least"));
  }
  return out;
}

}  // namespace

void Vocoder::declare(Declaration<Vocoder>& d) {
  d.doc("The sound of a sentence, from hibari's spectra of it")
      .input("lh: f32[B,C,601,F]")
      .input("theta: f32[B,C,601,F]")
      .input("ln: f32[B,C,601,F]")
      .input("lr: f32[B,C,601,F]")
      .input("phi: f32[B,C,601,F]")
      .input("f0: f32[B,D,F]")
      .output("waveform: f32[T]{mono}")
      .makes(kSampleRate)
      .light();
  d.param("seed", &Params::seed,
          "of the noise in it: the same seed gives the same sound")
      .range(0, 1e15)
      .per_request();
}

void Vocoder::decode(const Step& step, const Result& picked,
                     std::vector<Next>& out) {
  // Many small operations: a team would wait more than it computes.
  const SerialOps serial;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    next.finish = Finish::kEnd;
    try {
      const Item& item = *step.slices[i].sequence->item;
      const Spectra spectra = spectra_of(picked, static_cast<std::int64_t>(i));
      const at::Tensor sound = waveform_of(
          spectra, random_numbers(params<Params>(*this, *item.request).seed,
                                  item.index, spectra.pitch.numel()));
      if (!sound.isfinite().all().item<bool>()) {
        throw ForwardFault("the model's answer is not finite");
      }
      Decoded made;
      made.tensors = {{tensors::kWaveform, sound}};
      set(made.notes, kSampleRate, kRate);
      next.emit.push_back(std::move(made));
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::speech
