#include "gemma/kv_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

constexpr std::int64_t kFirstCapacity = 256;

}  // namespace

KvBuffer::KvBuffer(const Config& config, std::int64_t reach, std::int64_t slack,
                   at::TensorOptions options)
    : kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      reach_(reach),
      slack_(slack),
      context_(config.context > 0 ? config.context : kAll),
      options_(options) {}

std::int64_t KvBuffer::first_capacity() const {
  // Of a CPU's memory only what is written is taken.
  if (reach_ == kAll || options_.device().is_cpu()) return kFirstCapacity;
  return std::min(2 * (reach_ + slack_), context_);
}

void KvBuffer::make_room(std::int64_t count) {
  if (held_ + count <= capacity_) return;
  const std::int64_t keep =
      reach_ == kAll ? held_ : std::min(held_, reach_ + slack_);
  const std::int64_t drop = held_ - keep;
  // Twice what is kept, so that the next move is as many tokens away.
  // A full layer never holds more than the context.
  const std::int64_t most = reach_ == kAll ? context_ : kAll;
  const std::int64_t wanted = std::max(std::min(2 * keep, most), keep + count);
  at::Tensor old_keys = keys_;
  at::Tensor old_values = values_;
  if (wanted > capacity_) {
    capacity_ = std::max(wanted, std::min(first_capacity(), most));
    keys_ = at::empty({kv_heads_, capacity_, head_dim_}, options_);
    values_ = at::empty_like(keys_);
  } else {
    // Source and target may overlap in the same buffer.
    old_keys = old_keys.narrow(1, drop, keep).clone();
    old_values = old_values.narrow(1, drop, keep).clone();
  }
  if (keep > 0) {
    const std::int64_t from = old_keys.size(1) == keep ? 0 : drop;
    keys_.narrow(1, 0, keep).copy_(old_keys.narrow(1, from, keep));
    values_.narrow(1, 0, keep).copy_(old_values.narrow(1, from, keep));
  }
  base_ += drop;
  held_ = keep;
}

void KvBuffer::append(const at::Tensor& keys, const at::Tensor& values) {
  const std::int64_t count = keys.size(0);
  make_room(count);
  keys_.narrow(1, held_, count).copy_(keys.transpose(0, 1));
  values_.narrow(1, held_, count).copy_(values.transpose(0, 1));
  held_ += count;
}

at::Tensor KvBuffer::keys(std::int64_t begin, std::int64_t end) const {
  return keys_.narrow(1, begin - base_, end - begin);
}

at::Tensor KvBuffer::values(std::int64_t begin, std::int64_t end) const {
  return values_.narrow(1, begin - base_, end - begin);
}

void KvBuffer::truncate(std::int64_t length) {
  const std::int64_t first = reach_ == kAll ? 0 : length - reach_;
  if (length > this->length() || (base_ > 0 && first < base_)) {
    throw Error(Code::kInternal, str("cannot cut a cache of tokens ", base_,
                                     " to ", this->length(), " to ", length));
  }
  held_ = length - base_;
  if (length == 0) base_ = 0;
}

void KvBuffer::copy_from(const KvBuffer& other) {
  base_ = other.base_;
  held_ = other.held_;
  capacity_ = other.capacity_;
  if (!other.keys_.defined()) return;
  keys_ = other.keys_.clone();
  values_ = other.values_.clone();
}

std::int64_t KvBuffer::held_bytes() const {
  if (!keys_.defined()) return 0;
  return static_cast<std::int64_t>(keys_.nbytes() + values_.nbytes());
}

KvCache::KvCache(const Config& config, std::int64_t slack,
                 at::TensorOptions options) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const std::int64_t reach = config.is_sliding(i) ? config.window - 1 : kAll;
    layers_.emplace_back(config, reach, slack, options);
  }
}

std::int64_t KvCache::bytes(const Config& config, std::int64_t slack,
                            std::int64_t chunk, std::int64_t number_bytes) {
  const std::int64_t held = config.window - 1 + slack;
  const std::int64_t sliding =
      std::min(config.context, std::max(2 * held, held + chunk));
  std::int64_t tokens = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    tokens += config.is_sliding(i) ? sliding : config.context;
  }
  return tokens * 2 * config.kv_heads * config.head_dim * number_bytes;
}

void KvCache::truncate(std::int64_t length) {
  for (KvBuffer& layer : layers_) layer.truncate(length);
}

void KvCache::copy_from(const KvCache& other) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].copy_from(other.layers_[i]);
  }
}

std::int64_t KvCache::held_bytes() const {
  std::int64_t bytes = 0;
  for (const KvBuffer& layer : layers_) bytes += layer.held_bytes();
  return bytes;
}

}  // namespace penstock::gemma
