#include "silero/forward.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "silero/windows.h"

namespace penstock::silero {

void SileroForward::declare(Declaration<SileroForward>& d) {
  d.doc("Silero VAD: how likely somebody speaks, every 32 ms")
      .input("waveform: f32[T]{mono}")
      .output("probabilities: f32[B,W]")
      .output("count: i64[B]")
      .output("left: i64[B]")
      .layouts({Layout::kStacked})
      .needs(kSampleRate)
      .makes(kDtype);
  d.param("block", &Params::block, "most windows of one sound in one step")
      .range(1, 1 << 20);
}

Footprint SileroForward::memory(const StageContext& context) const {
  return networks_memory(context.model, params_.block);
}

void SileroForward::open(StageContext& context) {
  if (!context.device.is_cpu()) {
    throw Error(Code::kUnavailable,
                "silero.forward runs on the CPU alone; use device: cpu");
  }
  networks_ = open_networks(context.model);
  slots_.resize(static_cast<std::size_t>(context.slots));
  set(context.facts, kDtype, "fp32");
}

void SileroForward::close() noexcept { networks_.clear(); }

void SileroForward::release(int slot) noexcept {
  slots_[static_cast<std::size_t>(slot)] = {};
}

Result SileroForward::forward(const Step& step) {
  const auto sequences = static_cast<std::int64_t>(step.slices.size());
  auto probabilities = at::zeros({sequences, params_.block}, at::kFloat);
  auto count = at::zeros({sequences}, at::kLong);
  auto left = at::zeros({sequences}, at::kLong);
  for (std::int64_t i = 0; i < sequences; ++i) {
    if (step.stop.stop_requested()) throw Cancelled();
    const Sequence& sequence =
        *step.slices[static_cast<std::size_t>(i)].sequence;
    const Network& network =
        network_for(networks_, sample_rate(*sequence.item));
    Slot& slot = slots_.at(static_cast<std::size_t>(sequence.slot));
    const at::Tensor& waveform = get(sequence.item->inputs, "waveform");
    const std::int64_t all = window_count(waveform, network);
    const std::int64_t now = std::min(params_.block, all - slot.next);
    const std::vector<float> made =
        network.run(windows(waveform, network, slot.next, now), slot.memory);
    slot.next += now;
    std::copy(made.begin(), made.end(),
              probabilities[i].mutable_data_ptr<float>());
    count.mutable_data_ptr<std::int64_t>()[i] = now;
    left.mutable_data_ptr<std::int64_t>()[i] = all - slot.next;
  }
  return {.out = {{"probabilities", probabilities},
                  {"count", count},
                  {"left", left}},
          .scores = {}};
}

}  // namespace penstock::silero
