#include "audio/windows.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "penstock/keys.h"
#include "penstock/tensor_names.h"

namespace penstock::audio {
namespace {

constexpr const char* kWindow = "window";

}  // namespace

void Windows::declare(Declaration<Windows>& d) {
  d.doc("Sound cut into windows of one length that may overlap")
      .input("waveform: f32[T]{mono}")
      .output("window: f32[N]")
      .light();
  d.param("size", &Params::size, "samples of a window").range(1, 1 << 26);
  d.param("hop", &Params::hop, "samples from one window to the next")
      .range(1, 1 << 26);
  d.param("lead", &Params::lead,
          "samples of silence that the first window begins with")
      .range(0, 1 << 26);
  d.param("column", &Params::column,
          "a window is [samples,1], as models with the channels last want it");
}

Ports Windows::describe(const Params& params) {
  Ports ports;
  ports.inputs.push_back(parse_port("waveform: f32[T]{mono}"));
  ports.outputs.push_back(parse_port(
      str(kWindow, ": f32[", params.size, params.column ? ",1]" : "]")));
  return ports;
}

void Windows::preprocess(const Request& request, Item in, ItemSink& out) const {
  const at::Tensor sound = get(in.inputs, tensors::kWaveform);
  std::erase_if(in.inputs, [](const auto& input) {
    return input.first == tensors::kWaveform;
  });
  const std::int64_t length = sound.size(0) + params_.lead;
  for (std::int64_t from = 0; from < length; from += params_.hop) {
    if (request.stop.stop_requested()) throw Cancelled();
    // Of the window, where the sound is in it.
    const std::int64_t begin = std::max(from, params_.lead);
    const std::int64_t end = std::min(from + params_.size, length);
    auto window = at::zeros({params_.size}, at::kFloat);
    if (begin < end) {
      window.narrow(0, begin - from, end - begin)
          .copy_(sound.narrow(0, begin - params_.lead, end - begin));
    }
    Item item;
    item.tokens = in.tokens;
    item.notes = in.notes;
    item.inputs = in.inputs;
    item.inputs.emplace_back(kWindow,
                             params_.column ? window.unsqueeze(1) : window);
    out.push(std::move(item));
  }
}

}  // namespace penstock::audio
