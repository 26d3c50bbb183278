#include <gtest/gtest.h>

#include "penstock/keys.h"
#include "penstock/testing/run_stage.h"
#include "penstock/testing/stage_faults.h"

namespace my_plugin {
namespace {

using penstock::testing::run_stage;
using penstock::testing::stage_faults;

TEST(MyPreprocess, PutsThePrefixInFrontOfTheText) {
  const auto made = run_stage("{use: my_plugin.my_preprocess, prefix: '- '}",
                              {.inputs = {{"text", "Hi"}}});
  ASSERT_EQ(made.items.size(), 1U);
  EXPECT_EQ(penstock::get(made.items[0].notes, penstock::kText), "- Hi");
}

TEST(MyPreprocess, LetsARequestSetThePrefix) {
  const auto made =
      run_stage("{use: my_plugin.my_preprocess}",
                {.inputs = {{"text", "Hi"}}, .options = {{"prefix", "* "}}});
  EXPECT_EQ(penstock::get(made.items.at(0).notes, penstock::kText), "* Hi");
}

TEST(MyPreprocess, NeedsAText) {
  EXPECT_THROW((void)run_stage("{use: my_plugin.my_preprocess}"),
               penstock::Error);
}

TEST(MyPreprocess, DoesWhatEveryStageMust) {
  EXPECT_EQ(stage_faults("{use: my_plugin.my_preprocess}",
                         {.inputs = {{"text", "Hi"}}}),
            "");
}

}  // namespace
}  // namespace my_plugin
