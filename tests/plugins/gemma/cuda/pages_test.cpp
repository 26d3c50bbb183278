// The page tables against a plain list of tokens for each slot, over random
// histories of what engines ask for.
#include "gemma/cuda/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "penstock/error.h"
#include "penstock/value.h"

namespace penstock::gemma::cuda {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSlack = 70;
constexpr int kSlots = 4;

Config config() {
  Config config;
  config.layers = 4;
  config.window = 100;
  config.pattern = 3;  // layer 2 sees all
  config.context = 1000;
  return config;
}

constexpr std::int64_t kLayers = 4;

/// What the device would do: pages of tokens, and its own copy of the table.
class World {
 public:
  explicit World(const PageCounts& pages)
      : tables_(config(), kSlots, pages, kSlack),
        truth_(kSlots),
        table_(tables_.table().size(), -7) {
    for (const std::size_t kind : {kFull, kSliding}) {
      memory_[kind].resize(
          static_cast<std::size_t>(pages[kind] * layers_[kind] * kPageTokens),
          -1);
    }
  }

  void extend(int slot, std::int64_t count) {
    PageChanges changes;
    const std::int64_t begin = tables_.length(slot);
    tables_.extend(slot, count, changes);
    apply(changes);
    for (std::int64_t i = 0; i < count; ++i) {
      truth(slot).push_back(++last_);
      for (std::int64_t layer = 0; layer < kLayers; ++layer) {
        at(slot, layer, begin + i) = last_ * kLayers + layer;
      }
    }
    check(slot, begin);
  }
  void truncate(int slot, std::int64_t length) {
    tables_.truncate(slot, length);
    truth(slot).resize(static_cast<std::size_t>(length));
  }
  void copy(int from, int to) {
    PageChanges changes;
    tables_.copy(from, to, changes);
    EXPECT_TRUE(changes.copies.empty());
    apply(changes);
    truth(to) = truth(from);
  }
  /// A step that nobody asked for writes behind the slot's tokens.
  bool run_ahead(int slot) {
    PageChanges changes;
    if (!tables_.reserve(slot, changes)) return false;
    EXPECT_TRUE(changes.copies.empty());
    apply(changes);
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      at(slot, layer, tables_.length(slot)) = -99;
    }
    return true;
  }
  void release(int slot) {
    tables_.release(slot);
    truth(slot).clear();
  }

  PageTables& tables() { return tables_; }
  Tokens& truth(int slot) { return truth_[static_cast<std::size_t>(slot)]; }
  PageCounts free() const {
    return {tables_.pool(kFull).free(), tables_.pool(kSliding).free()};
  }

 private:
  void apply(const PageChanges& changes) {
    for (const auto& [kind, from, to] : changes.copies) {
      const std::int64_t size = layers_[kind] * kPageTokens;
      std::copy_n(memory_[kind].begin() + from * size, size,
                  memory_[kind].begin() + to * size);
    }
    for (const auto& [first, count] : changes.entries) {
      std::copy_n(tables_.table().begin() + first, count,
                  table_.begin() + first);
    }
  }
  /// As the kernels find it: the layer's own start, and pages from there.
  std::int64_t& at(int slot, std::int64_t layer, std::int64_t token) {
    const std::size_t kind = config().is_sliding(layer) ? kSliding : kFull;
    const std::int64_t layer_in_kind = kind == kFull ? 0 : layer - layer / 3;
    const std::int64_t page = table_.at(static_cast<std::size_t>(
        (slot * 2 + static_cast<std::int64_t>(kind)) * tables_.width() +
        token / kPageTokens));
    return memory_[kind].at(static_cast<std::size_t>(
        (layer_in_kind + page) * kPageTokens + token % kPageTokens));
  }
  /// Every token that those from `begin` on see, in every layer.
  void check(int slot, std::int64_t begin) {
    const std::int64_t end = tables_.length(slot);
    ASSERT_EQ(end, std::ssize(truth(slot)));
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      const bool is_sliding = config().is_sliding(layer);
      std::int64_t i = is_sliding ? std::max<std::int64_t>(0, begin - 99) : 0;
      for (; i < end; ++i) {
        const auto wanted = truth(slot)[static_cast<std::size_t>(i)];
        ASSERT_EQ(at(slot, layer, i), wanted * kLayers + layer)
            << "slot " << slot << ", layer " << layer << ", token " << i;
      }
    }
  }

  PageTables tables_;
  PageCounts layers_ = PageTables::layers_of(config());
  std::vector<Tokens> truth_;
  std::array<Tokens, kKinds> memory_;
  std::vector<std::int32_t> table_;
  std::int64_t last_ = 0;
};

TEST(Pages, HoldWhatIsSeenOverAnyHistory) {
  std::mt19937 random(5);
  World world({kSlots * 16, kSlots * 16});
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
  };
  int ran_ahead = 0;
  for (int step = 0; step < 4000; ++step) {
    const int slot = static_cast<int>(below(kSlots));
    const std::int64_t length = world.tables().length(slot);
    const auto what = below(10);
    if (below(2) == 0 && length > 0) {
      if (world.run_ahead(slot)) ++ran_ahead;
      if (below(4) == 0) world.tables().unreserve(slot);
    }
    if (what < 6 && length < 900) {
      world.extend(slot, 1 + (what == 0 ? below(100) : below(3)));
    } else if (what < 8) {
      // Less than the slack at once, since some may have been dropped before.
      world.extend(slot, std::min<std::int64_t>(kSlack, 990 - length));
      world.truncate(slot, world.tables().length(slot) - below(kSlack));
    } else if (what == 8) {
      const int to = static_cast<int>(below(kSlots));
      if (to != slot) world.copy(slot, to);
    } else if (below(4) == 0 || length >= 900) {
      world.release(slot);
    }
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(ran_ahead, 1000);
  for (int slot = 0; slot < kSlots; ++slot) world.release(slot);
  EXPECT_EQ(world.free(), PageCounts({kSlots * 16, kSlots * 16}));
}

TEST(Pages, OfLayersWithAWindowAreFewHoweverLongTheSequence) {
  World world({16, 16});
  const PageCounts most = PageTables::most_pages(config(), kSlack, 16);
  EXPECT_EQ(most, PageCounts({16, (99 + kSlack + 16) / 64 + 2}));
  for (int i = 0; i < 60; ++i) {
    world.extend(0, 16);
    EXPECT_LE(world.tables().held(0)[kSliding], most[kSliding]);
  }
  EXPECT_EQ(world.tables().held(0)[kFull], 15);
  EXPECT_THROW(world.truncate(0, 500), Error);
  EXPECT_NO_THROW(world.truncate(0, 960 - kSlack));
}

TEST(Pages, AreSharedUntilSomebodyWrites) {
  World world({50, 50});
  world.extend(0, 70);
  world.copy(0, 1);
  EXPECT_EQ(world.free(), PageCounts({48, 48}));
  world.extend(1, 1);
  EXPECT_EQ(world.free(), PageCounts({47, 47}));
  world.extend(0, 1);
  EXPECT_EQ(world.free(), PageCounts({47, 47}));
  world.release(0);
  EXPECT_EQ(world.free(), PageCounts({48, 48}));
  world.release(1);
  EXPECT_EQ(world.free(), PageCounts({50, 50}));
}

TEST(Pages, AreReservedWhereTheyAreFreeAndNobodyElses) {
  World world({3, 3});
  world.extend(0, 64);
  EXPECT_TRUE(world.run_ahead(0));
  EXPECT_EQ(world.free(), PageCounts({1, 1}));
  EXPECT_EQ(world.tables().held(0), PageCounts({1, 1})) << "no token is there";
  EXPECT_TRUE(world.run_ahead(0)) << "again, in the same place";
  EXPECT_EQ(world.free(), PageCounts({1, 1}));
  world.tables().unreserve(0);
  EXPECT_EQ(world.free(), PageCounts({2, 2}));
  world.extend(1, 65);
  EXPECT_FALSE(world.run_ahead(0)) << "no page is free";
  EXPECT_EQ(world.free(), PageCounts({0, 0}));
  world.release(0);
  world.copy(1, 0);
  EXPECT_FALSE(world.run_ahead(1)) << "the page is another's too";
  world.extend(0, 1);
  EXPECT_TRUE(world.run_ahead(1));
  world.extend(1, 2);
}

TEST(Pages, SayThatThereAreNoMoreAndKeepCount) {
  World world({2, 3});
  world.extend(0, 128);
  try {
    world.extend(0, 1);
    FAIL() << "there is no third page";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kRetry);
    EXPECT_THAT(error.what(), HasSubstr("all 2 pages"));
  }
  world.release(0);
  EXPECT_EQ(world.free(), PageCounts({2, 3}));
}

TEST(Pages, OfOneKindAlone) {
  Config all_sliding = config();
  all_sliding.sliding.assign(4, true);
  EXPECT_EQ(PageTables::most_pages(all_sliding, kSlack, 1)[kFull], 0);
  PageTables tables(all_sliding, 1, {0, 8}, kSlack);
  PageChanges changes;
  tables.extend(0, 128, changes);
  EXPECT_EQ(tables.held(0), PageCounts({0, 2}));
}

TEST(Pages, RefuseWhatTheyCannotHold) {
  World world({50, 50});
  world.extend(0, 10);
  PageChanges changes;
  EXPECT_THROW(world.tables().extend(0, 2000, changes), Error);
  EXPECT_THROW(world.truncate(0, 11), Error);
  EXPECT_THROW(world.truncate(0, -1), Error);
}

}  // namespace
}  // namespace penstock::gemma::cuda
