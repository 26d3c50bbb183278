// Runner: outputs of a step become requests of the next, in order, once;
// errors and stops reach every step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "penstock/runner.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

using ::testing::HasSubstr;

/// Keeps what a request's steps gave, in the order it came.
class Steps final : public ResultSink {
 public:
  void piece(const Request& from, const Value& value, int /*branch*/,
             bool /*is_final*/) override {
    if (on_piece) on_piece();
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) text_ += key(from) + " " + *text + "\n";
  }
  void part_done(const Request& from, const Report& report) override {
    text_ += key(from) + " ends: " + report.finish_reason + "\n";
    texts[from.step].push_back(std::get<std::string>(from.inputs.at("text")));
    answers[from.step].push_back(report.token_ids);
  }
  void step_done(const std::string& step) override {
    text_ += step + " is over\n";
  }
  void done(const Request& /*request*/, const Report& report) override {
    report_ = report;
    ++times_done;
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const Report& report() const { return report_; }
  std::function<void()> on_piece;
  int times_done = 0;
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, std::vector<Tokens>> answers;

 private:
  static std::string key(const Request& from) {
    return str(from.step, ".", from.index);
  }

  std::string text_;
  Report report_;
};

InputEdge each(const std::string& step) { return {.input = "", .each = step}; }
InputEdge input(const std::string& name) { return {.input = name, .each = ""}; }

/// first -> second -> third, and `beside` that takes the input as it is.
CompositionFile chain(Script& script) {
  CompositionFile out;
  out.name = "chain";
  const auto add = [&](const std::string& name, const std::string& from) {
    StepConfig& step = out.steps.emplace_back();
    step.name = name;
    step.file = file(script);
    if (!from.empty()) step.in["text"] = each(from);
  };
  add("first", "");
  add("second", "first");
  add("third", "second");
  add("beside", "");
  out.steps.back().in["text"] = input("other");
  return out;
}

Request two_texts(const std::string& id) {
  Request made = request(id, "1 2");
  made.inputs["other"] = std::string("7");
  return made;
}

TEST(Runner, GivesEveryStepWhatTheOneAboveWrote) {
  Script script;
  script.max_new = 5;
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  all.submit(two_texts("a"), sink);
  all.drain();
  EXPECT_EQ(sink->times_done, 1);
  const Tokens first = answer({1, 2}, 5);
  const Tokens second = answer(first, 5);
  EXPECT_EQ(sink->answers["first"], std::vector<Tokens>{first});
  EXPECT_EQ(sink->texts["second"], std::vector<std::string>{text_of(first)});
  EXPECT_EQ(sink->answers["second"], std::vector<Tokens>{second});
  EXPECT_EQ(sink->answers["third"], std::vector<Tokens>{answer(second, 5)});
  EXPECT_EQ(sink->answers["beside"], std::vector<Tokens>{answer({7}, 5)});
  EXPECT_EQ(sink->report().finish_reason, "length");
  EXPECT_EQ(sink->report().prompt_tokens, 2 + 5 + 5 + 1);
}

TEST(Runner, MakesARequestOfEachBranchAndKeepsTheirOrder) {
  Script script;
  script.max_new = 3;
  script.items = 4;
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  all.submit(two_texts("a"), sink);
  all.drain();
  ASSERT_EQ(sink->texts["second"].size(), 4);
  ASSERT_EQ(sink->texts["third"].size(), 16);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(sink->texts["second"][static_cast<std::size_t>(i)],
              text_of(answer({1, 2}, 3, i)));
  }
  // Each step's requests come in their order, each together.
  EXPECT_LT(sink->text().rfind("first."), sink->text().find("second.0"));
  EXPECT_LT(sink->text().find("second.2 ends"), sink->text().find("second.3"));
  EXPECT_LT(sink->text().find("third.14 ends"), sink->text().find("third.15"));
  EXPECT_LT(sink->text().rfind("second.3"),
            sink->text().find("second is over"));
}

TEST(Runner, KeepsTheOrderOfPartsThatEndInAnother) {
  Script script;
  script.max_new = 3;
  script.items = 4;
  script.in_preprocess = [](const Request& from) {
    // The later ones are ready first.
    if (from.step != "second") return;
    std::this_thread::sleep_for(std::chrono::milliseconds{6 - 2 * from.index});
  };
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  all.submit(two_texts("a"), sink);
  all.drain();
  ASSERT_EQ(sink->texts["third"].size(), 16);
  for (std::size_t i = 0; i < 4; ++i) {
    const Tokens first = answer({1, 2}, 3, static_cast<int>(i));
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_EQ(sink->texts["third"][4 * i + j],
                text_of(answer(first, 3, static_cast<int>(j))))
          << i << ", " << j;
    }
  }
}

TEST(Runner, RunsManyRequestsAtOnceEachByItself) {
  Script script;
  script.max_new = 4;
  Runner all(chain(script));
  std::vector<std::shared_ptr<Steps>> sinks;
  const auto more = all.more_coming();
  for (int i = 0; i < 100; ++i) {
    sinks.push_back(std::make_shared<Steps>());
    Request one = two_texts(std::to_string(i));
    one.inputs["text"] = str(i % kVocab);
    all.submit(one, sinks.back());
  }
  all.drain();
  for (int i = 0; i < 100; ++i) {
    const Steps& got = *sinks[static_cast<std::size_t>(i)];
    const Tokens first = answer({i % kVocab}, 4);
    EXPECT_EQ(got.answers.at("second"), std::vector<Tokens>{answer(first, 4)});
    EXPECT_EQ(got.times_done, 1);
  }
  EXPECT_EQ(all.stats().size(), 4);
  EXPECT_EQ(all.stats()[1].second.requests, 100);
}

TEST(Runner, EndsAtAnErrorAndNamesTheStep) {
  Script script;
  script.in_writer = [](const Request& from) {
    if (std::get<std::string>(from.inputs.at("text")) == "7") {
      throw Error(Code::kData, "no sevens");
    }
  };
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  all.submit(two_texts("a"), sink);
  all.drain();
  EXPECT_EQ(sink->report().finish_reason, "error");
  ASSERT_TRUE(sink->report().error);
  EXPECT_THAT(sink->report().error->what(), HasSubstr("step 'beside'"));
  EXPECT_EQ(sink->answers["third"].size(), 1) << "others go on";
}

TEST(Runner, OfAFailedStepGivesTheNextNothing) {
  Script script;
  script.in_preprocess = [](const Request& from) {
    if (std::get<std::string>(from.inputs.at("text")) == "1 2") {
      throw Error(Code::kData, "no ones");
    }
  };
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  all.submit(two_texts("a"), sink);
  all.drain();
  EXPECT_EQ(sink->times_done, 1);
  EXPECT_EQ(sink->answers.count("second"), 0);
  EXPECT_THAT(sink->report().error->what(), HasSubstr("step 'first'"));
}

TEST(Runner, StopsEverywhereEvenFromItsOwnSink) {
  Script script;
  script.max_new = 100000;
  script.forward_time = std::chrono::milliseconds(1);
  Runner all(chain(script));
  const auto sink = std::make_shared<Steps>();
  sink->on_piece = [&] { all.cancel_all(); };
  all.submit(two_texts("a"), sink);
  const auto other = std::make_shared<Steps>();
  auto stop = all.submit(two_texts("b"), other);
  stop.request_stop();
  all.drain();
  EXPECT_EQ(sink->report().ending, Ending::kCancelled);
  EXPECT_EQ(other->report().ending, Ending::kCancelled);
}

TEST(Runner, ChecksTheOptionsOfEveryStep) {
  Script script;
  script.max_new = 2;
  Runner all(chain(script));
  Request asked = two_texts("a");
  asked.options["second.max_new"] = RawScalar{"7"};
  const auto sink = std::make_shared<Steps>();
  all.submit(asked, sink);
  all.drain();
  EXPECT_EQ(sink->answers["second"][0].size(), 7);
  EXPECT_EQ(sink->answers["first"][0].size(), 2);
  asked.options["second.max_mew"] = RawScalar{"7"};
  try {
    all.check(asked);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("step 'second'"));
  }
}

}  // namespace
}  // namespace penstock::fakes
