// The screened head equals the whole computation, for hidden states of every
// kind, at every instruction set, for quantised and plain embeddings.
#include "lib/kernels/screened_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "lib/kernels/half.h"

namespace penstock::kernels {
namespace {

constexpr std::int64_t kVocab = 9001;
constexpr std::int64_t kColumns = 256;

/// Random embeddings in one of the types; some rows are equal,
/// some zero or nearly.
struct Embedding {
  std::vector<std::byte> data;
  WeightTensor tensor;

  explicit Embedding(WeightType type) {
    std::mt19937 engine(7);
    std::normal_distribution<float> normal;
    const WeightBlock block = weight_block(type);
    const std::int64_t row_bytes = kColumns / block.elements * block.bytes;
    data.resize(static_cast<std::size_t>(kVocab * row_bytes));
    for (std::int64_t r = 0; r < kVocab; ++r) {
      std::byte* row = data.data() + r * row_bytes;
      if (r % 100 == 7) {
        std::copy_n(row - 3 * row_bytes, row_bytes, row);  // a tie
        continue;
      }
      if (r % 500 == 9) continue;  // all zero
      for (std::int64_t b = 0; b < row_bytes / block.bytes; ++b) {
        std::byte* at = row + b * block.bytes;
        if (type == WeightType::kQ8_0) {
          const std::uint16_t scale =
              float_to_half(0.001F * std::fabs(normal(engine)));
          std::memcpy(at, &scale, 2);
          for (std::int64_t i = 0; i < 32; ++i) {
            at[2 + i] = static_cast<std::byte>(static_cast<std::int8_t>(
                std::clamp(40 * normal(engine), -128.0F, 127.0F)));
          }
        } else {
          const float size = r % 500 == 11 ? 1e-38F : 0.03F;
          const float x = size * normal(engine);
          const auto number = static_cast<std::size_t>(block.bytes);
          std::memcpy(at, reinterpret_cast<const std::byte*>(&x) + 4 - number,
                      number);
        }
      }
    }
    tensor = {
        .name = "e", .type = type, .shape = {kVocab, kColumns}, .data = data};
  }
};

/// Hidden states that a screen might get wrong.
std::vector<std::vector<float>> states(const WeightTensor& embedding) {
  std::mt19937 engine(8);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> all;
  for (int i = 0; i < 6; ++i) {
    std::vector<float> x(kColumns);
    for (float& v : x) v = normal(engine) * (i < 3 ? 1.0F : 30.0F);
    if (i == 1) {
      for (std::size_t k = 0; k < x.size(); k += 32) x[k] *= 50;
    }
    all.push_back(x);
  }
  std::vector<float> one(kColumns);
  one[200] = 3;
  all.push_back(one);
  all.emplace_back(kColumns);  // zero: all scores equal
  std::vector<float> row(kColumns);
  dequantize(embedding, 1234, 1235, row);
  all.push_back(row);
  for (float& v : row) v = -v;
  all.push_back(row);
  all.emplace_back(kColumns, 1e-30F);
  all.emplace_back(kColumns, 1e-38F);
  all.emplace_back(kColumns, 1e8F);
  return all;
}

void compare(ScreenedHead& head, const std::vector<float>& hidden,
             std::int64_t count, std::int64_t k, std::string_view name) {
  std::vector<float> all(static_cast<std::size_t>(count * kVocab));
  head.all(hidden.data(), count, all.data());
  const auto best = head.best(hidden.data(), count, k);
  ASSERT_EQ(std::ssize(best), count);
  for (std::int64_t r = 0; r < count; ++r) {
    const float* scores = all.data() + r * kVocab;
    std::vector<std::int64_t> order(kVocab);
    for (std::int64_t i = 0; i < kVocab; ++i)
      order[static_cast<std::size_t>(i)] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return scores[a] > scores[b]; });
    const Best& got = best[static_cast<std::size_t>(r)];
    ASSERT_EQ(std::ssize(got.ids), k) << name;
    for (std::size_t i = 0; i < got.ids.size(); ++i) {
      ASSERT_EQ(got.ids[i], order[i])
          << name << ", row " << r << ", place " << i;
      ASSERT_EQ(got.scores[i], scores[order[i]]) << name;
    }
  }
}

/// Sets of every kind: one, few, as many as k, most, far from the first panels.
std::vector<std::shared_ptr<const TokenSet>> sets() {
  std::vector<Tokens> all{{1234}, {3, 4, 8999}, {}, {}, {}};
  for (std::int64_t id = 0; id < kVocab; ++id) {
    if (id % 140 == 9) all[2].push_back(id);
    if (id % 3 != 1) all[3].push_back(id);
    if (id > 8300) all[4].push_back(id);
  }
  std::vector<std::shared_ptr<const TokenSet>> out{nullptr};
  for (Tokens& ids : all) {
    out.push_back(std::make_shared<const TokenSet>(std::move(ids)));
  }
  return out;
}

/// Each state under another set, in one call, and rows alone.
void compare_masked(ScreenedHead& head, const std::vector<float>& hidden,
                    std::int64_t count, std::int64_t k, std::int64_t first,
                    std::string_view name) {
  std::vector<float> all(static_cast<std::size_t>(count * kVocab));
  head.all(hidden.data(), count, all.data());
  const auto masks = sets();
  std::vector<const TokenSet*> allowed;
  for (std::int64_t r = 0; r < count; ++r) {
    allowed.push_back(
        masks[static_cast<std::size_t>(r + first) % masks.size()].get());
  }
  const auto best = head.best(hidden.data(), count, k, allowed);
  for (std::int64_t r = 0; r < count; ++r) {
    const float* scores = all.data() + r * kVocab;
    const TokenSet* set = allowed[static_cast<std::size_t>(r)];
    std::vector<std::int64_t> order;
    for (std::int64_t id = 0; id < kVocab; ++id) {
      if (set == nullptr || set->contains(id)) order.push_back(id);
    }
    std::vector<float> alone(order.size());
    head.among(hidden.data() + r * kColumns, order, alone.data());
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(alone[i], scores[order[i]]) << name << ", row " << r;
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return scores[a] > scores[b]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(k)));
    const Best& got = best[static_cast<std::size_t>(r)];
    ASSERT_EQ(got.ids, order) << name << ", row " << r << ", best " << k;
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(got.scores[i], scores[order[i]]) << name;
    }
  }
}

class HeadTypes : public ::testing::TestWithParam<WeightType> {};
INSTANTIATE_TEST_SUITE_P(Types, HeadTypes,
                         ::testing::Values(WeightType::kQ8_0, WeightType::kBF16,
                                           WeightType::kF32));

TEST_P(HeadTypes, GiveExactlyTheBestOfAllScores) {
  const Embedding embedding(GetParam());
  std::vector<float> norm(kColumns, 1);
  for (std::size_t i = 0; i < norm.size(); i += 7) norm[i] = 9;
  for (const std::string_view level : kernels::names()) {
    const Kernels* table = kernels::find(level);
    if (table == nullptr) {
      std::cout << "not run: this processor has no " << level << "\n";
      continue;
    }
    ScreenedHead head(embedding.tensor, norm, *table, /*is_mapped=*/false);
    std::vector<float> together;
    std::int64_t count = 0;
    for (const auto& hidden : states(embedding.tensor)) {
      for (const std::int64_t k : {1, 2, 64, 9001}) {
        compare(head, hidden, 1, k, level);
      }
      together.insert(together.end(), hidden.begin(), hidden.end());
      ++count;
    }
    compare(head, together, count, 5, level);
    for (const std::int64_t k : {1, 5, 64}) {
      for (std::int64_t first = 0; first < 6; ++first) {
        compare_masked(head, together, count, k, first, level);
      }
    }
  }
}

TEST(ScreenedHead, ReadsFewRowsWhenOneStandsOut) {
  const Embedding embedding(WeightType::kQ8_0);
  const std::vector<float> norm(kColumns, 1);
  ScreenedHead head(embedding.tensor, norm, kernels::best(),
                    /*is_mapped=*/false);
  std::vector<float> hidden(kColumns);
  dequantize(embedding.tensor, 1234, 1235, hidden);
  (void)head.best(hidden.data(), 1, 1);
  EXPECT_LT(head.survivors(), kVocab / 4);
}

}  // namespace
}  // namespace penstock::kernels
