#include "whisper/reference.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace penstock::whisper {

std::int64_t ReferenceEngine::sequence_bytes(const Config& c,
                                             at::ScalarType dtype) {
  return 2 * c.decoder_layers * c.dim * (c.context + c.positions) *
         static_cast<std::int64_t>(at::elementSize(dtype));
}

void ReferenceEngine::encode(const std::vector<at::Tensor>& windows,
                             const std::vector<int>& slots) {
  const auto encoded = model_.encode(at::stack(windows).to(model_.device()));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Cache& cache = caches_.at(static_cast<std::size_t>(slots[i]));
    if (cache.keys.empty()) cache = model_.make_cache();
    model_.begin(encoded[static_cast<std::int64_t>(i)], cache);
  }
}

at::Tensor ReferenceEngine::decode(const at::Tensor& tokens,
                                   const std::vector<NewTokens>& texts,
                                   const Tokens& wanted) {
  std::vector<SequenceChunk> chunks;
  chunks.reserve(texts.size());
  for (const NewTokens& text : texts) {
    chunks.push_back(
        {.count = text.count,
         .cache = &caches_.at(static_cast<std::size_t>(text.slot))});
  }
  const auto hidden = model_.decode(tokens.to(model_.device()), chunks);
  const auto places = at::tensor(wanted, at::kLong).to(model_.device());
  return model_.logits(hidden.index_select(0, places));
}

std::int64_t ReferenceEngine::length(int slot) const {
  return caches_.at(static_cast<std::size_t>(slot)).length;
}

void ReferenceEngine::truncate(int slot, std::int64_t length) {
  caches_.at(static_cast<std::size_t>(slot)).length = length;
}

void ReferenceEngine::release(int slot) noexcept {
  caches_[static_cast<std::size_t>(slot)].length = 0;
}

}  // namespace penstock::whisper
