// Sinks lead to the runtime during the call that they were given to alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::HasSubstr;

/// What a stage leaves behind finds its sink closed.
TEST(Sinks, ThrowAfterTheirCall) {
  Stages stages;
  ItemSink* items = nullptr;
  OutputSink* outputs = nullptr;
  stages.preprocess = {[&](const Request&, Item in, ItemSink& out) {
    items = &out;
    in.tokens = {1};
    out.push(std::move(in));
  }};
  stages.forward = [](const Step&) { return Result(); };
  stages.decode = [](const Step&, const Result&, std::vector<Next>& out) {
    out.emplace_back().finish = Finish::kEnd;
  };
  stages.write = [&](const Decoded&, OutputSink& out) {
    outputs = &out;
    return true;
  };
  (void)run(stages, {"1"});
  for (const auto& [use, place] :
       {std::pair<std::function<void()>, std::string>(
            [&] { items->push(Item()); }, "stage 'preprocess' (any0)"),
        {[&] { outputs->emit(std::string("a"), 0, true); },
         "stage 'postprocess' (any)"}}) {
    try {
      use();
      FAIL() << place;
    } catch (const Error& error) {
      EXPECT_THAT(error.text(), HasSubstr("had returned"));
      EXPECT_THAT(error.what(), HasSubstr(place));
    }
  }
}

}  // namespace
}  // namespace penstock::uses
