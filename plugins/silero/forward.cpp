#include "forward.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "windows.h"

namespace penstock::silero {

void SileroForward::declare(Declaration<SileroForward>& d) {
  d.doc("Silero VAD: how likely somebody speaks, every 32 ms")
      .input("waveform: f32[T]{mono}")
      .output("probabilities: f32[B,W]")
      .layouts({Layout::kStacked});
  d.param("block", &Params::block, "windows of a row in one step, at most")
      .range(1, 1 << 20);
}

std::int64_t SileroForward::memory(const StageContext& context) const {
  const WeightFile file = WeightFile::open(context.model);
  std::int64_t bytes = 0;
  for (const WeightTensor& tensor : file.tensors()) {
    bytes += static_cast<std::int64_t>(tensor.data.size());
  }
  return bytes;
}

void SileroForward::open(StageContext& context) {
  if (!context.device.is_cpu()) {
    throw Error(Code::kUnavailable,
                "silero.forward runs on the CPU alone; use device: cpu");
  }
  networks_ = open_networks(context.model);
  slots_.resize(static_cast<std::size_t>(context.slots));
  context.facts["dtype"] = std::string("fp32");
}

void SileroForward::close() noexcept { networks_.clear(); }

void SileroForward::release(int slot) noexcept {
  slots_[static_cast<std::size_t>(slot)] = {};
}

Result SileroForward::forward(const Step& step) {
  const auto rows = static_cast<std::int64_t>(step.slices.size());
  auto probabilities = at::zeros({rows, params_.block}, at::kFloat);
  auto count = at::zeros({rows}, at::kLong);
  auto left = at::zeros({rows}, at::kLong);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (step.stop.stop_requested()) throw Cancelled();
    const Row& row = *step.slices[static_cast<std::size_t>(i)].row;
    const Network& hears = network_for(networks_, sample_rate(*row.sample));
    Slot& slot = slots_.at(static_cast<std::size_t>(row.slot));
    const at::Tensor& waveform = get(row.sample->inputs, "waveform");
    const std::int64_t all = window_count(waveform, hears);
    const std::int64_t now = std::min(params_.block, all - slot.next);
    const std::vector<float> made =
        hears.run(windows(waveform, hears, slot.next, now), slot.memory);
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
