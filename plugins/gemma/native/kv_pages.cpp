#include "kv_pages.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/half.h"
#include "penstock/error.h"

namespace penstock::gemma::native {
namespace {

constexpr std::uintptr_t kLine = 64;

}  // namespace

Page::Page(const Config& config, bool is_f32)
    : head_dim_(config.head_dim),
      matrix_bytes_(kPage * config.head_dim * (is_f32 ? 4 : 2)),
      is_f32_(is_f32),
      data_(static_cast<std::size_t>(2 * config.kv_heads * matrix_bytes_) +
            kLine) {
  const auto address = reinterpret_cast<std::uintptr_t>(data_.data());
  start_ = data_.data() + (kLine - address % kLine) % kLine;
}

Panels Page::keys(std::int64_t kv_head) const {
  return {.kind = is_f32_ ? Kind::kF32 : Kind::kBf16,
          .rows = kPage,
          .columns = head_dim_,
          .data = start_ + 2 * kv_head * matrix_bytes_,
          .panel_bytes = matrix_bytes_ / (kPage / kPanel)};
}

Panels Page::values(std::int64_t kv_head, std::int64_t first,
                    std::int64_t count) const {
  const std::int64_t number = is_f32_ ? 4 : 2;
  return {.kind = is_f32_ ? Kind::kF32 : Kind::kBf16,
          .rows = head_dim_,
          .columns = count,
          .data = start_ + (2 * kv_head + 1) * matrix_bytes_ +
                  first * kPanel * number,
          .panel_bytes = matrix_bytes_ / (head_dim_ / kPanel)};
}

template <class Number>
void Page::write_as(std::int64_t at, std::int64_t kv_head, const Number* key,
                    const Number* value) {
  // bfloat16 lies in pairs of columns, floats singly.
  constexpr std::int64_t kPair = sizeof(Number) == 2 ? 2 : 1;
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
  if (is_f32_) {
    write_as(at, kv_head, key, value);
    return;
  }
  constexpr std::int64_t kMost = 1024;
  std::array<std::uint16_t, kMost> short_key{};
  std::array<std::uint16_t, kMost> short_value{};
  std::transform(key, key + head_dim_, short_key.begin(),
                 kernels::float_to_bf16);
  std::transform(value, value + head_dim_, short_value.begin(),
                 kernels::float_to_bf16);
  write_as(at, kv_head, short_key.data(), short_value.data());
}

void Page::copy_from(const Page& other) {
  std::memcpy(start_, other.start_, data_.size() - kLine);
}

KvPages::KvPages(const Config& config, bool is_f32, std::int64_t slack)
    : config_(&config),
      is_f32_(is_f32),
      slack_(slack),
      layers_(static_cast<std::size_t>(config.layers)) {}

std::int64_t KvPages::bytes(const Config& config, bool is_f32,
                            std::int64_t slack, std::int64_t chunk) {
  const std::int64_t all = (config.context + kPage - 1) / kPage;
  // The window and the chunk may begin anywhere in a page.
  const std::int64_t sliding =
      std::min(all, (config.window - 1 + slack + chunk) / kPage + 2);
  std::int64_t pages = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    pages += config.is_sliding(i) ? sliding : all;
  }
  return pages * kPage * 2 * config.kv_heads * config.head_dim *
         (is_f32 ? 4 : 2);
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
      auto own = std::make_shared<Page>(*config_, is_f32_);
      own->copy_from(*page);
      page = std::move(own);
    }
    while ((layer.first + static_cast<std::int64_t>(layer.pages.size())) *
               kPage <
           end) {
      layer.pages.push_back(std::make_shared<Page>(*config_, is_f32_));
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

}  // namespace penstock::gemma::native
