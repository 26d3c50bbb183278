#include "silero/windows.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "penstock/error.h"

namespace penstock::silero {
namespace {

/// That a window's sound, spectrum and convolutions take, at once.
constexpr std::int64_t kWindowBytes = std::int64_t{20} << 10U;

}  // namespace

std::map<std::int64_t, Network> open_networks(const std::string& model) {
  if (model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model: silero-vad` into the "
                "pipeline file");
  }
  const WeightFile file = WeightFile::open(model);
  std::map<std::int64_t, Network> networks;
  for (const std::int64_t rate : {16000, 8000}) {
    networks.emplace(rate, Network(file, rate));
  }
  return networks;
}

Footprint networks_memory(const std::string& model, std::int64_t windows) {
  if (model.empty()) return {};
  const WeightFile file = WeightFile::open(model);
  Footprint own;
  for (const WeightTensor& tensor : file.tensors()) {
    own.bytes += std::ssize(tensor.data);
  }
  own.working_bytes = windows * kWindowBytes;
  return own;
}

const Network& network_for(const std::map<std::int64_t, Network>& networks,
                           std::int64_t sample_rate) {
  const auto found = networks.find(sample_rate);
  if (found == networks.end()) {
    throw Error(Code::kData, str("the waveform has ", sample_rate,
                                 " samples a second; Silero VAD hears 16000 "
                                 "and 8000"));
  }
  return found->second;
}

std::int64_t sample_rate(const Item& item) {
  return get(item.notes, kSampleRate);
}

double audio_begin(const Item& item) {
  return get_or(item.notes, kAudioBegin, 0);
}

std::int64_t window_count(const at::Tensor& waveform, const Network& network) {
  return (waveform.size(0) + network.window() - 1) / network.window();
}

at::Tensor windows(const at::Tensor& waveform, const Network& network,
                   std::int64_t first, std::int64_t count) {
  const std::int64_t window = network.window();
  const std::int64_t context = network.context();
  const std::int64_t begin = first * window - context;
  auto sound = at::zeros({context + count * window}, at::kFloat);
  const std::int64_t from = std::max<std::int64_t>(0, begin);
  const std::int64_t to =
      std::min(waveform.size(0), begin + context + count * window);
  sound.narrow(0, from - begin, to - from)
      .copy_(waveform.narrow(0, from, to - from));
  return sound.as_strided({count, context + window}, {window, 1});
}

}  // namespace penstock::silero
