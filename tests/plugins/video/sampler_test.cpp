#include "video/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace penstock::video {
namespace {

struct Case {
  std::string name;
  SampleRule rule;
  std::vector<double> times;  ///< of the film's pictures; the last is its end
  std::vector<std::pair<int, double>> want;  ///< picture, moment
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class Rules : public ::testing::TestWithParam<Case> {};

TEST_P(Rules, TakeThesePictures) {
  const Case& one = GetParam();
  Sampler sampler(one.rule);
  std::vector<std::pair<int, double>> got;
  const std::size_t count = one.times.size() - 1;
  for (std::size_t i = 0; i < count && !sampler.is_over(); ++i) {
    sampler.show(one.times[i], one.times[i + 1], i + 1 == count);
    while (const auto at = sampler.take()) {
      got.emplace_back(static_cast<int>(i), *at);
    }
  }
  ASSERT_EQ(got.size(), one.want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, one.want[i].first) << i;
    EXPECT_NEAR(got[i].second, one.want[i].second, 1e-9) << i;
  }
  EXPECT_EQ(sampler.taken(), static_cast<std::int64_t>(got.size()));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Rules,
    ::testing::ValuesIn(std::vector<Case>{
        {"half_the_rate",
         {.fps = 2},
         {0, 0.25, 0.5, 0.75, 1, 1.25},
         {{0, 0}, {2, 0.5}, {4, 1}}},
        {"what_is_on_screen_at_uneven_times",
         {.fps = 2},
         {0, 0.4, 0.45, 0.7, 1.3, 1.4},
         {{0, 0}, {2, 0.5}, {3, 1}}},
        {"a_picture_that_stays_comes_again",
         {.fps = 2},
         {0, 1.2, 1.3, 1.4},
         {{0, 0}, {0, 0.5}, {0, 1}}},
        {"the_first_stands_for_what_is_before_it",
         {.fps = 1},
         {0.3, 0.6, 1.2},
         {{0, 0}, {1, 1}}},
        {"none_before_a_film_that_begins_late",
         {.fps = 1},
         {1.5, 1.7, 2.2, 3.2},
         {{1, 2}, {2, 3}}},
        {"rounded_times_are_met",
         {.fps = 3},
         {0, 0.3333333333, 0.6666666667, 1},
         {{0, 0}, {1, 1.0 / 3}, {2, 2.0 / 3}}},
        {"fps_between",
         {.fps = 4, .begin = 0.3, .end = 0.8},
         {0, 0.25, 0.5, 0.75, 1},
         {{1, 0.3}, {2, 0.55}}},
        {"no_more_than",
         {.fps = 4, .max_frames = 2},
         {0, 0.25, 0.5, 0.75, 1},
         {{0, 0}, {1, 0.25}}},
        {"count_divides_the_time",
         {.count = 2, .end = 1},
         {0, 0.25, 0.5, 0.75, 1},
         {{0, 0}, {2, 0.5}}},
        {"count_of_more_than_there_are",
         {.count = 8, .end = 1},
         {0, 0.5, 1},
         {{0, 0}, {1, 0.5}}},
        {"count_of_a_film_that_ends_early",
         {.count = 4, .end = 2},
         {0, 0.5, 0.7, 0.9},
         {{0, 0}, {1, 0.5}, {2, 1}}},
        {"count_between",
         {.count = 2, .begin = 0.5, .end = 1},
         {0, 0.25, 0.5, 0.75, 1},
         {{2, 0.5}, {3, 0.75}}},
        {"every_third", {.every = 3}, {0, 1, 2, 3, 4, 5}, {{0, 0}, {3, 3}}},
        {"every_second_between",
         {.every = 2, .begin = 1, .end = 4},
         {0, 1, 2, 3, 4, 5},
         {{1, 1}, {3, 3}}},
        {"nothing_after_the_end", {.fps = 1, .begin = 9}, {0, 1, 2}, {}},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Sampler, IsOverAsSoonAsNothingMoreIsWanted) {
  Sampler sampler({.fps = 1, .begin = 0, .end = 1.5});
  EXPECT_FALSE(sampler.is_over());
  sampler.show(0, 1.2, false);
  while (sampler.take()) {
  }
  EXPECT_TRUE(sampler.is_over());
}

}  // namespace
}  // namespace penstock::video
