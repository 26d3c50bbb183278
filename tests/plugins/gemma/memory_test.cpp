// Memory of a cache against what was foreseen of it: full layers grow with
// their tokens, sliding ones stay.
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "gemma/kv_cache.h"
#include "gemma/native/kv_pages.h"

namespace penstock::gemma {
namespace {

constexpr std::int64_t kChunk = 512;
constexpr std::int64_t kSlack = 64;

Config config() {
  Config config;
  config.layers = 6;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 256;
  config.window = 512;
  config.context = 16'384;
  return config;
}

/// Memory of its own that the process has, in bytes.
double own_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "RssAnon:" && in >> kilobytes) {
      return static_cast<double>(kilobytes) * 1024;
    }
  }
  return 0;
}

TEST(CacheMemory, OfPagesIsAsForeseen) {
  const Config c = config();
  for (const auto type :
       {native::KvType::kInt8, native::KvType::kBf16, native::KvType::kF32}) {
    const double before = own_memory();
    native::KvPages pages(c, type, kSlack);
    pages.extend(kChunk);
    const double begun = own_memory() - before;
    while (pages.length() < c.context) pages.extend(kChunk);
    const double taken = own_memory() - before;
    const auto foreseen =
        static_cast<double>(native::KvPages::bytes(c, type, kSlack, kChunk));
    EXPECT_NEAR(taken / foreseen, 1, 0.15);
    EXPECT_NEAR(taken / static_cast<double>(pages.held_bytes()), 1, 0.15);
    EXPECT_LT(begun, foreseen / 4) << "a short row pays for the context";
  }
}

TEST(CacheMemory, OfBuffersIsAsForeseen) {
  const Config c = config();
  const at::Tensor chunk = at::ones({kChunk, c.kv_heads, c.head_dim});
  const double before = own_memory();
  KvCache cache(c, kSlack, at::kFloat);
  double begun = 0;
  while (cache.length() < c.context) {
    for (std::int64_t i = 0; i < c.layers; ++i) {
      cache.layer(i).append(chunk, chunk);
    }
    if (cache.length() == kChunk) begun = own_memory() - before;
  }
  const auto foreseen =
      static_cast<double>(KvCache::bytes(c, kSlack, kChunk, 4));
  const double taken = own_memory() - before;
  EXPECT_NEAR(taken / foreseen, 1, 0.15);
  EXPECT_NEAR(taken / static_cast<double>(cache.held_bytes()), 1, 0.15);
  EXPECT_LT(begun, foreseen / 4) << "a short row pays for the context";
}

}  // namespace
}  // namespace penstock::gemma
