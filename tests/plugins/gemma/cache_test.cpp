// The key/value buffer against a plain tensor, the mask against its definition.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <random>

#include "gemma/attention.h"
#include "gemma/kv_cache.h"
#include "penstock/error.h"

namespace penstock::gemma {
namespace {

Config small() {
  Config config;
  config.layers = 1;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 3;
  config.window = 16;
  config.attention_scale = 0.5;
  return config;
}

TEST(KvBuffer, KeepsWhatIsInReachOverAnyHistory) {
  const Config config = small();
  constexpr std::int64_t kReach = 15;
  constexpr std::int64_t kSlack = 7;
  for (const std::int64_t reach : {kReach, kAll}) {
    std::mt19937 random(3);
    KvBuffer buffer(config, reach, kSlack, at::kFloat);
    at::Tensor truth = at::empty({0, 2, 3});
    for (int step = 0; step < 3000; ++step) {
      if (random() % 4 == 0 && truth.size(0) > kSlack) {
        const auto drop = static_cast<std::int64_t>(random() % (kSlack + 1));
        // Only what was not dropped before may be dropped again.
        if (step % 3 == 0) {
          buffer.truncate(truth.size(0) - drop);
          truth = truth.narrow(0, 0, truth.size(0) - drop);
          const auto back = at::randn({kSlack + 1, 2, 3});
          buffer.append(back, back * 2);
          truth = at::cat({truth, back});
        }
        continue;
      }
      const auto count = static_cast<std::int64_t>(1 + random() % 40);
      const auto more = at::randn({count, 2, 3});
      buffer.append(more, more * 2);
      truth = at::cat({truth, more});
      const std::int64_t end = truth.size(0);
      const std::int64_t first =
          reach == kAll ? 0 : std::max<std::int64_t>(0, end - count - reach);
      const auto wanted = truth.narrow(0, first, end - first).transpose(0, 1);
      ASSERT_TRUE(buffer.keys(first, end).equal(wanted)) << step;
      ASSERT_TRUE(buffer.values(first, end).equal(wanted * 2)) << step;
      if (truth.size(0) > 500 && reach == kAll) {
        buffer.truncate(0);
        truth = at::empty({0, 2, 3});
      }
    }
  }
}

TEST(KvBuffer, RefusesToCutWhatItNoLongerHas) {
  KvBuffer buffer(small(), 15, 4, at::kFloat);
  for (int i = 0; i < 100; ++i) {
    buffer.append(at::randn({10, 2, 3}), at::randn({10, 2, 3}));
  }
  EXPECT_NO_THROW(buffer.truncate(1000 - 4));
  EXPECT_THROW(buffer.truncate(500), Error);
  EXPECT_THROW(buffer.truncate(2000), Error);
}

TEST(Attention, EqualsItsDefinition) {
  const Config c = small();
  for (const std::int64_t window : {std::int64_t{5}, c.window, kAll}) {
    for (const auto& [begin, count] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{
             {0, 1}, {0, 4}, {0, 30}, {20, 1}, {20, 7}, {3, 30}}) {
      const std::int64_t end = begin + count;
      const auto q = at::randn({count, c.heads, c.head_dim});
      const auto k = at::randn({c.kv_heads, end, c.head_dim});
      const auto v = at::randn({c.kv_heads, end, c.head_dim});
      const Span span = span_of(begin, count, window);
      const auto got = attend(q, k.narrow(1, span.first, end - span.first),
                              v.narrow(1, span.first, end - span.first),
                              attention_mask(span, window, at::kFloat), c);
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t h = 0; h < c.heads; ++h) {
          const std::int64_t at = begin + i;
          const std::int64_t first =
              window == kAll ? 0 : std::max<std::int64_t>(0, at - window + 1);
          const auto keys = k[h / 2].narrow(0, first, at + 1 - first);
          const auto values = v[h / 2].narrow(0, first, at + 1 - first);
          const auto weights =
              keys.mv(q[i][h]).mul(c.attention_scale).softmax(0);
          const auto wanted = values.t().mv(weights);
          const auto answer = got[i].narrow(0, h * c.head_dim, c.head_dim);
          ASSERT_TRUE(answer.allclose(wanted, 1e-5, 1e-5))
              << "window " << window << ", token " << at << ", head " << h;
        }
      }
    }
  }
}

}  // namespace
}  // namespace penstock::gemma
