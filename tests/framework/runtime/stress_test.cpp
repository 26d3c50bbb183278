// Many requests at once, with cancels, deadlines and failures among them: each
// ends exactly once, and those that end well have the textbook's tokens.
#include <gtest/gtest.h>
#include <array>

#include <random>
#include <thread>

#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

constexpr int kRequests = 64;

TEST(Stress, EachRequestEndsOnceAndRight) {
  Script script;
  script.in_preprocess = [](const Request& r) {
    if (r.id.starts_with("fail")) throw Error(Code::kData, "meant to fail");
  };
  script.in_decode = [](const Sequence& sequence) {
    const bool is_bad = sequence.item->request->id.starts_with("odd");
    if (is_bad && sequence.generated() > 3) throw Error(Code::kInternal, "odd");
  };
  script.forward_time = std::chrono::microseconds(200);
  PipelineOptions options;
  options.preprocess_workers = 4;
  options.writers = 2;
  options.trace = true;
  Pipeline pipeline(file(script, {.max_sequences = 6, .chunk = 5}), options);
  std::mt19937 random(7);
  std::vector<std::shared_ptr<Collect>> sinks;
  std::vector<Tokens> prompts;
  std::vector<std::string> kinds;
  std::vector<std::stop_source> stops;
  for (int i = 0; i < kRequests; ++i) {
    Tokens& prompt = prompts.emplace_back();
    for (auto n = 1 + random() % 30; n > 0; --n) {
      prompt.push_back(static_cast<std::int64_t>(random() % kVocab));
    }
    const std::array<const char*, 7> names{"ok",  "ok",     "ok",  "fail",
                                           "odd", "cancel", "late"};
    kinds.emplace_back(names[random() % 7]);
    Request made = request(kinds.back() + str(i), text_of(prompt));
    if (kinds.back() == "late") {
      made.deadline = Clock::now() + std::chrono::microseconds(random() % 5000);
    }
    sinks.push_back(std::make_shared<Collect>());
    stops.push_back(pipeline.submit(made, sinks.back()));
    if (i > 4 && kinds[static_cast<std::size_t>(i - 4)] == "cancel") {
      stops[static_cast<std::size_t>(i - 4)].request_stop();
    }
  }
  pipeline.drain();
  int well = 0;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    EXPECT_EQ(sinks[i]->times_done, 1);
    const Report& report = sinks[i]->wait();
    const std::string all = text_of(answer(prompts[i], script.max_new));
    EXPECT_EQ(all.substr(0, sinks[i]->text().size()), sinks[i]->text());
    if (report.finish_reason == "length") {
      ++well;
      EXPECT_EQ(sinks[i]->text(), all);
    }
    if (kinds[i] == "ok") {
      EXPECT_EQ(report.finish_reason, "length");
    }
    if (kinds[i] == "fail" || kinds[i] == "odd") {
      EXPECT_EQ(report.finish_reason, "error");
    }
  }
  EXPECT_GT(well, 10);
  EXPECT_EQ(pipeline.stats().requests, kRequests);
}

}  // namespace
}  // namespace penstock::fakes
