// TokenSet: the same set from ids and from bits, few or many.
#include "penstock/token_set.h"

#include <gtest/gtest.h>

#include "penstock/error.h"

namespace penstock {
namespace {

std::vector<std::uint64_t> bits_of(const Tokens& ids) {
  std::vector<std::uint64_t> bits;
  for (const std::int64_t id : ids) {
    const auto word = static_cast<std::size_t>(id / 64);
    if (word >= bits.size()) bits.resize(word + 1);
    bits[word] |= std::uint64_t{1} << static_cast<unsigned>(id % 64);
  }
  bits.resize(bits.size() + 3);  // as of a whole vocabulary
  return bits;
}

TEST(TokenSet, IsTheSameFromIdsAndFromBits) {
  for (const std::int64_t count : {1, 2, 63, 64, 4095, 4096, 4097, 9000}) {
    Tokens ids;
    for (std::int64_t i = 0; i < count; ++i) ids.push_back(i * 3 + i % 2);
    Tokens turned(ids.rbegin(), ids.rend());
    turned.push_back(ids.front());  // twice
    const TokenSet from_ids(turned);
    const TokenSet from_bits(bits_of(ids));
    EXPECT_EQ(from_ids.size(), count);
    EXPECT_EQ(from_bits.size(), count);
    EXPECT_EQ(from_ids.is_listed(), count <= TokenSet::kMostListed);
    EXPECT_EQ(from_bits.is_listed(), count <= TokenSet::kMostListed);
    EXPECT_EQ(from_ids.ids(), from_bits.ids());
    EXPECT_EQ(from_ids.last(), ids.back());
    EXPECT_EQ(from_bits.last(), ids.back());
    EXPECT_TRUE(from_ids == TokenSet(turned));
    std::size_t at = 0;
    for (std::int64_t id = -2; id < ids.back() + 200; ++id) {
      const bool is_in = at < ids.size() && ids[at] == id;
      EXPECT_EQ(from_ids.contains(id), is_in) << id;
      EXPECT_EQ(from_bits.contains(id), is_in) << id;
      if (is_in) ++at;
    }
  }
}

TEST(TokenSet, CountsBitsOfWholeWords) {
  for (std::size_t words = 64; words < 70; ++words) {
    const std::vector<std::uint64_t> bits(words, ~std::uint64_t{0});
    EXPECT_EQ(TokenSet(bits).size(), static_cast<std::int64_t>(words) * 64);
  }
}

TEST(TokenSet, OfNothingIsEmpty) {
  for (const TokenSet& set :
       {TokenSet(), TokenSet(Tokens{}), TokenSet(bits_of({}))}) {
    EXPECT_TRUE(set.is_empty());
    EXPECT_FALSE(set.contains(0));
    EXPECT_EQ(set.last(), -1);
  }
}

TEST(TokenSet, RefusesIdsThatNoVocabularyHas) {
  EXPECT_THROW(TokenSet(Tokens{3, -1}), Error);
  EXPECT_THROW(TokenSet(Tokens{std::int64_t{1} << 40}), Error);
}

TEST(TokenSet, CommonIsWhatBothHave) {
  Tokens even;
  Tokens thirds;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    if (i % 2 == 0) even.push_back(i);
    if (i % 3 == 0) thirds.push_back(i);
  }
  const TokenSet both = common(TokenSet(even), TokenSet(thirds));
  EXPECT_EQ(both.size(), 3334);
  EXPECT_TRUE(both.is_listed());
  EXPECT_TRUE(both.contains(6));
  EXPECT_FALSE(both.contains(3));
  EXPECT_EQ(common(TokenSet(Tokens{1, 2, 9}), TokenSet(even)).ids(), Tokens{2});
  EXPECT_EQ(common(TokenSet(even), TokenSet(Tokens{1, 2, 9})).ids(), Tokens{2});
  EXPECT_TRUE(common(TokenSet(Tokens{1}), TokenSet(Tokens{2})).is_empty());
}

}  // namespace
}  // namespace penstock
