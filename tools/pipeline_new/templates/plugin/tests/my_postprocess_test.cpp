#include <gtest/gtest.h>

#include "penstock/testing/run_stage.h"
#include "penstock/testing/stage_faults.h"

namespace my_plugin {
namespace {

using penstock::testing::run_stage;
using penstock::testing::stage_faults;

TEST(MyPostprocess, WritesIdsAsTheyCome) {
  penstock::Decoded first;
  first.tokens = {7};
  penstock::Decoded second;
  second.tokens = {11, 2};
  const auto made = run_stage("{use: my_plugin.my_postprocess}",
                              {.decoded = {first, second}});
  EXPECT_EQ(made.outcome.text(), "7 11 2 ");
  EXPECT_EQ(made.outcome.pieces.at(0).size(), 2U);
}

TEST(MyPostprocess, DoesWhatEveryStageMust) {
  penstock::Decoded decoded;
  decoded.tokens = {1, 2, 3};
  EXPECT_EQ(stage_faults("{use: my_plugin.my_postprocess}",
                         {.decoded = {decoded, decoded}}),
            "");
}

}  // namespace
}  // namespace my_plugin
