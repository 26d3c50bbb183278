// GrammarCache: what was asked before is not made again, within its bytes.
#include "grammar/grammar_cache.h"

#include <gtest/gtest.h>

#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

struct Counted {
  GrammarCache cache{100};
  int made = 0;

  GrammarCache::Value get(const std::string& text, std::size_t bytes) {
    return cache.get({Kind::kRegex, text, false}, [&] {
      ++made;
      return std::make_shared<const Compiled>(
          Compiled{.impl = nullptr, .bytes = bytes});
    });
  }
};

TEST(GrammarCache, KeepsWhatWasUsedLast) {
  Counted counted;
  const auto first = counted.get("a", 40);
  EXPECT_EQ(counted.get("a", 40), first);
  EXPECT_EQ(counted.made, 1);
  (void)counted.get("b", 40);
  (void)counted.get("a", 40);  // now b is the oldest
  (void)counted.get("c", 40);
  EXPECT_EQ(counted.made, 3);
  EXPECT_EQ(counted.cache.bytes(), 80);
  (void)counted.get("a", 40);
  EXPECT_EQ(counted.made, 3);
  (void)counted.get("b", 40);
  EXPECT_EQ(counted.made, 4) << "it had to go";
}

TEST(GrammarCache, DoesNotKeepWhatIsLargerThanItself) {
  Counted counted;
  (void)counted.get("a", 40);
  (void)counted.get("large", 101);
  EXPECT_EQ(counted.cache.bytes(), 40);
  (void)counted.get("large", 101);
  EXPECT_EQ(counted.made, 3);
}

/// With grammars as they are: what they say they take is what is counted.
TEST(GrammarCache, StaysWithinItsBytes) {
  const Fixture fixture;
  const auto compile = [&](const std::string& text) {
    return fixture.compiler.compile({Kind::kRegex, text, false});
  };
  const std::size_t one = compile("[a-z]{30}x")->bytes;
  GrammarCache cache(5 * one);
  for (int i = 0; i < 40; ++i) {
    const std::string text = "[a-z]{" + std::to_string(25 + i % 10) + "}x";
    (void)cache.get({Kind::kRegex, text, false}, [&] { return compile(text); });
    EXPECT_LE(cache.bytes(), 5 * one);
  }
  EXPECT_GT(cache.bytes(), one);
}

TEST(GrammarCache, TellsKindsAndWhitespaceApart) {
  GrammarCache cache(1000);
  int made = 0;
  const auto make = [&] {
    ++made;
    return std::make_shared<const Compiled>(
        Compiled{.impl = nullptr, .bytes = 1});
  };
  (void)cache.get({Kind::kSchema, "{}", false}, make);
  (void)cache.get({Kind::kSchema, "{}", true}, make);
  (void)cache.get({Kind::kRegex, "{}", false}, make);
  EXPECT_EQ(made, 3);
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0);
  (void)cache.get({Kind::kSchema, "{}", false}, make);
  EXPECT_EQ(made, 4);
}

}  // namespace
}  // namespace penstock::grammar
