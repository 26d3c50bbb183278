#include "gemma/native/kv_pages.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "lib/kernels/half.h"
#include "penstock/error.h"

namespace penstock::gemma::native {
namespace {

constexpr std::uintptr_t kLine = 64;
constexpr std::size_t kMostDim = 1024;  ///< see Model::can_run()

std::int64_t number_bytes(KvType type) {
  if (type == KvType::kF32) return 4;
  return type == KvType::kBf16 ? 2 : 1;
}
/// Bytes of one token's key or value.
std::int64_t token_bytes(KvType type, std::int64_t head_dim) {
  return head_dim * number_bytes(type) + (type == KvType::kInt8 ? 4 : 0);
}

PackedType kind_of(KvType type) {
  if (type == KvType::kF32) return PackedType::kF32;
  return type == KvType::kBf16 ? PackedType::kBf16 : PackedType::kBytes;
}

std::int64_t page_bytes(const Config& config, KvType type) {
  return 2 * config.kv_heads * kPage * token_bytes(type, config.head_dim);
}

/// Rounds to whole numbers within 127; returns their scale.
float round_numbers(const float* x, std::int64_t n, std::int8_t* q) {
  float most = 0;
  for (std::int64_t i = 0; i < n; ++i) most = std::max(most, std::fabs(x[i]));
  const float inverse = most > 0 ? 127 / most : 0;
  for (std::int64_t i = 0; i < n; ++i) {
    q[i] = static_cast<std::int8_t>(std::nearbyint(x[i] * inverse));
  }
  return most / 127;
}

}  // namespace

Page::Page(const Config& config, KvType type)
    : kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      matrix_bytes_(kPage * config.head_dim * number_bytes(type)),
      type_(type),
      data_(static_cast<std::size_t>(page_bytes(config, type)) + kLine) {
  const auto address = reinterpret_cast<std::uintptr_t>(data_.data());
  start_ = data_.data() + (kLine - address % kLine) % kLine;
}

Panels Page::panels(std::int64_t matrix, std::int64_t rows,
                    std::int64_t columns) const {
  return {.kind = kind_of(type_),
          .rows = rows,
          .columns = columns,
          .data = start_ + matrix * matrix_bytes_,
          .panel_bytes = matrix_bytes_ / (rows / kPanel)};
}

Panels Page::keys(std::int64_t kv_head) const {
  return panels(2 * kv_head, kPage, head_dim_);
}

Panels Page::values(std::int64_t kv_head, std::int64_t first,
                    std::int64_t count) const {
  Panels some = panels(2 * kv_head + 1, head_dim_, count);
  some.data += first * kPanel * number_bytes(type_);
  return some;
}

float* Page::scales(std::int64_t matrix) const {
  return reinterpret_cast<float*>(start_ + 2 * kv_heads_ * matrix_bytes_) +
         matrix * kPage;
}

template <class Number>
void Page::write_as(std::int64_t at, std::int64_t kv_head, const Number* key,
                    const Number* value) {
  // Floats lie singly in a panel, shorter numbers in pairs of columns.
  constexpr std::int64_t kPair = sizeof(Number) == 4 ? 1 : 2;
  auto* keys = reinterpret_cast<Number*>(start_ + 2 * kv_head * matrix_bytes_);
  Number* to = keys + at / kPanel * kPanel * head_dim_ + at % kPanel * kPair;
  for (std::int64_t d = 0; d < head_dim_; ++d) {
    to[d / kPair * kPair * kPanel + d % kPair] = key[d];
  }
  auto* values =
      reinterpret_cast<Number*>(start_ + (2 * kv_head + 1) * matrix_bytes_);
  to = values + at / kPair * kPair * kPanel + at % kPair;
  for (std::int64_t d = 0; d < head_dim_; ++d) {
    to[d / kPanel * kPanel * kPage + d % kPanel * kPair] = value[d];
  }
}

void Page::write(std::int64_t at, std::int64_t kv_head, const float* key,
                 const float* value) {
  switch (type_) {
    case KvType::kF32:
      write_as(at, kv_head, key, value);
      break;
    case KvType::kBf16: {
      std::array<std::uint16_t, kMostDim> short_key{};
      std::array<std::uint16_t, kMostDim> short_value{};
      std::transform(key, key + head_dim_, short_key.begin(),
                     kernels::float_to_bf16);
      std::transform(value, value + head_dim_, short_value.begin(),
                     kernels::float_to_bf16);
      write_as(at, kv_head, short_key.data(), short_value.data());
      break;
    }
    case KvType::kInt8: {
      std::array<std::int8_t, kMostDim> key_bytes{};
      std::array<std::int8_t, kMostDim> value_bytes{};
      scales(2 * kv_head)[at] = round_numbers(key, head_dim_, key_bytes.data());
      scales(2 * kv_head + 1)[at] =
          round_numbers(value, head_dim_, value_bytes.data());
      write_as(at, kv_head, key_bytes.data(), value_bytes.data());
    }
  }
}

void Page::copy_from(const Page& other) {
  std::memcpy(start_, other.start_, data_.size() - kLine);
}

KvPages::KvPages(const Config& config, KvType type, std::int64_t slack)
    : config_(&config),
      type_(type),
      slack_(slack),
      layers_(static_cast<std::size_t>(config.layers)) {}

std::int64_t KvPages::bytes(const Config& config, KvType type,
                            std::int64_t slack, std::int64_t chunk) {
  const std::int64_t all = (config.context + kPage - 1) / kPage;
  // The window and the chunk may begin anywhere in a page.
  const std::int64_t sliding =
      std::min(all, (config.window - 1 + slack + chunk) / kPage + 2);
  std::int64_t pages = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    pages += config.is_sliding(i) ? sliding : all;
  }
  return pages * page_bytes(config, type);
}

void KvPages::extend(std::int64_t count) {
  const std::int64_t end = length_ + count;
  for (std::int64_t i = 0; i < config_->layers; ++i) {
    Layer& layer = layers_[static_cast<std::size_t>(i)];
    if (config_->is_sliding(i)) {
      const std::int64_t oldest = length_ - (config_->window - 1) - slack_;
      while (!layer.pages.empty() && (layer.first + 1) * kPage <= oldest) {
        layer.pages.pop_front();
        ++layer.first;
      }
    }
    const auto held = static_cast<std::int64_t>(layer.pages.size());
    for (std::int64_t p = length_ / kPage; p < layer.first + held; ++p) {
      auto& page = layer.pages[static_cast<std::size_t>(p - layer.first)];
      if (page.use_count() == 1) continue;
      auto own = std::make_shared<Page>(*config_, type_);
      own->copy_from(*page);
      page = std::move(own);
    }
    while ((layer.first + static_cast<std::int64_t>(layer.pages.size())) *
               kPage <
           end) {
      layer.pages.push_back(std::make_shared<Page>(*config_, type_));
    }
  }
  length_ = end;
}

void KvPages::truncate(std::int64_t length) {
  for (std::int64_t i = 0; i < config_->layers; ++i) {
    Layer& layer = layers_[static_cast<std::size_t>(i)];
    const std::int64_t oldest =
        config_->is_sliding(i)
            ? std::max<std::int64_t>(0, length - config_->window + 1)
            : 0;
    if (length > length_ || oldest < layer.first * kPage) {
      throw Error(Code::kInternal, str("cannot cut a cache of ", length_,
                                       " tokens to ", length));
    }
    const std::int64_t pages = (length + kPage - 1) / kPage;
    const auto keep = static_cast<std::size_t>(
        std::max<std::int64_t>(0, pages - layer.first));
    if (keep < layer.pages.size()) layer.pages.resize(keep);
    if (length == 0) layer.first = 0;
  }
  length_ = length;
}

void KvPages::copy_from(const KvPages& other) {
  layers_ = other.layers_;
  length_ = other.length_;
}

std::int64_t KvPages::held_bytes() const {
  std::int64_t pages = 0;
  for (const Layer& layer : layers_) pages += std::ssize(layer.pages);
  return pages * page_bytes(*config_, type_);
}

}  // namespace penstock::gemma::native
