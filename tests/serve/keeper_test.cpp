#include "pipeline_serve/serving/keeper.h"

#include <gtest/gtest.h>

#include <future>

namespace penstock::serve {
namespace {

TEST(Keeper, OpensThenReloadsThenClosesUntilNothingIsLeft) {
  std::string order;  // written by its thread alone
  std::promise<void> closed;
  int left = 3;
  Keeper keeper({.open = [&] { order += "o"; },
                 .reload = [&] { order += "r"; },
                 .close =
                     [&] {
                       order += "c";
                       if (--left == 0) closed.set_value();
                       return left > 0;
                     }});
  keeper.ask_reload();
  EXPECT_EQ(closed.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  keeper.end();
  EXPECT_EQ(order, "orccc");
}

TEST(Keeper, ReloadsOnceMoreForAllThatAskMeanwhile) {
  std::promise<void> begun, asked, over;
  int count = 0;
  Keeper keeper({.open = [] {},
                 .reload =
                     [&] {
                       if (++count == 1) {
                         begun.set_value();
                         asked.get_future().wait();
                       } else {
                         over.set_value();
                       }
                     },
                 .close = [] { return false; }});
  keeper.ask_reload();
  begun.get_future().wait();
  keeper.ask_reload();
  keeper.ask_reload();
  asked.set_value();
  EXPECT_EQ(over.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  keeper.end();
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace penstock::serve
