#include "whisper/native/engine.h"

#include <ATen/ops/empty.h>

#include "penstock/error.h"

namespace penstock::whisper::native {

NativeEngine::NativeEngine(const Arrays& file, PackedType kind, int slots)
    : weights_(file, kind),
      encoder_(weights_),
      decoder_(weights_),
      texts_(size(slots)) {}

bool NativeEngine::can_run(const Config& c) {
  return c.head_dim() == kHead && c.ffn % kernels::kWide == 0;
}

std::int64_t NativeEngine::bytes(PackedType kind, std::int64_t numbers) {
  return Matrix::bytes(kind, numbers / kernels::kWide, kernels::kWide);
}

std::int64_t NativeEngine::sequence_bytes(const Config& config,
                                          PackedType kind) {
  return TextState::bytes(config, kind);
}

at::Tensor NativeEngine::encoder_output(const at::Tensor& window) {
  const auto whole = window.contiguous();
  const auto encoded = encoder_.encode(whole.const_data_ptr<float>());
  auto out = at::empty({config().positions, config().dim}, at::kFloat);
  std::copy(encoded.begin(), encoded.end(), out.mutable_data_ptr<float>());
  return out;
}

void NativeEngine::encode(const std::vector<at::Tensor>& windows,
                          const std::vector<int>& slots) {
  std::vector<at::Tensor> whole;
  std::vector<const float*> from;
  std::vector<std::vector<WindowKv>*> to;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    whole.push_back(windows[i].contiguous());
    from.push_back(whole.back().const_data_ptr<float>());
    TextState& text = texts_.at(size(slots[i]));
    if (text.is_empty()) text = TextState(config(), weights_.kind);
    text.length = 0;
    to.push_back(&text.cross_kv);
  }
  encoder_.run(from, to);
}

at::Tensor NativeEngine::decode(const at::Tensor& tokens,
                                const std::vector<NewTokens>& texts,
                                const Tokens& wanted) {
  const auto ids = tokens.contiguous();
  const std::span<const std::int64_t> all(ids.const_data_ptr<std::int64_t>(),
                                          size(ids.numel()));
  std::vector<SequenceChunk> chunks;
  std::size_t at = 0;
  for (const NewTokens& growth : texts) {
    TextState& text = texts_.at(size(growth.slot));
    if (text.length + growth.count > config().context) {
      throw Error(Code::kInternal,
                  str("the text has over ", config().context, " tokens"));
    }
    chunks.push_back({&text, all.subspan(at, size(growth.count))});
    at += size(growth.count);
  }
  for (const std::int64_t id : all) {
    if (id < 0 || id >= config().vocab) {
      throw Error(Code::kInternal, str("there is no token ", id));
    }
  }
  const float* scores = decoder_.run(chunks, wanted);
  auto out = at::empty(
      {static_cast<std::int64_t>(wanted.size()), config().vocab}, at::kFloat);
  auto* to = out.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::copy_n(scores + static_cast<std::int64_t>(i) * decoder_.stride(),
                config().vocab,
                to + static_cast<std::int64_t>(i) * config().vocab);
  }
  return out;
}

std::int64_t NativeEngine::length(int slot) const {
  return texts_.at(size(slot)).length;
}

void NativeEngine::truncate(int slot, std::int64_t length) {
  texts_.at(size(slot)).length = length;
}

void NativeEngine::release(int slot) noexcept { texts_[size(slot)].length = 0; }

}  // namespace penstock::whisper::native
