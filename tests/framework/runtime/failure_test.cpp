// A failure stays with its request; everybody else gets the right tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

using ::testing::HasSubstr;

/// Three requests; the script decides which of them fails.
struct Trio {
  explicit Trio(Script& chosen, const Setup& setup = {.max_sequences = 3})
      : script(chosen), pipeline(file(script, setup)) {
    for (const char* id : {"a", "b", "c"}) {
      sinks.push_back(std::make_shared<Collect>());
      pipeline.submit(request(id, prompts.at(sinks.size() - 1)), sinks.back());
    }
    pipeline.drain();
  }
  void expect_right(std::size_t i) {
    ASSERT_FALSE(sinks[i]->wait().error) << sinks[i]->wait().error->what();
    Tokens prompt;
    std::istringstream in(prompts[i]);
    for (std::int64_t token = 0; in >> token;) prompt.push_back(token);
    EXPECT_EQ(sinks[i]->text(), text_of(answer(prompt, script.max_new)));
  }
  void expect_error(std::size_t i, Code code, const std::string& words,
                    const std::string& place) {
    const Report& report = sinks[i]->wait();
    EXPECT_EQ(report.finish_reason, "error");
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code(), code);
    EXPECT_THAT(report.error->what(), HasSubstr(words));
    EXPECT_THAT(report.error->what(), HasSubstr(place));
  }
  Script& script;
  std::vector<std::string> prompts{"3 1 4", "1 5 9 2", "6 5"};
  std::vector<std::shared_ptr<Collect>> sinks;
  Pipeline pipeline;
};

TEST(Failure, OfPreprocessStaysWithItsRequest) {
  Script script;
  script.in_preprocess = [](const Request& r) {
    if (r.id == "b") throw Error(Code::kData, "no such number");
  };
  Trio trio(script);
  trio.expect_right(0);
  trio.expect_error(1, Code::kData, "no such number",
                    "stage 'preprocess' (fake.numbers)");
  trio.expect_error(1, Code::kData, "no such number", "request 'b'");
  trio.expect_right(2);
}

TEST(Failure, ForeignExceptionsBecomeErrorsWithTheirPlace) {
  Script script;
  script.in_preprocess = [](const Request& r) {
    if (r.id == "a") throw std::out_of_range("at 7");
    if (r.id == "c") throw 42;  // NOLINT(hicpp-exception-baseclass)
  };
  Trio trio(script);
  trio.expect_error(0, Code::kInternal, "at 7", "fake.numbers");
  trio.expect_right(1);
  trio.expect_error(2, Code::kInternal, "unknown type", "fake.numbers");
}

TEST(Failure, NotANumberFailsItsRowOnly) {
  Script script;
  script.nan_after = 1;  // prompts that begin with 1: b
  Trio trio(script);
  trio.expect_right(0);
  trio.expect_error(1, Code::kInternal, "not finite (nan)",
                    "stage 'forward' (fake.ring)");
  trio.expect_right(2);
}

TEST(Failure, OfTheWriterEndsItsRequestOnly) {
  Script script;
  script.in_writer = [](const Request& r) {
    if (r.id == "c") throw std::runtime_error("pen broke");
  };
  Trio trio(script);
  trio.expect_right(0);
  trio.expect_right(1);
  trio.expect_error(2, Code::kInternal, "pen broke",
                    "stage 'postprocess' (fake.join)");
}

TEST(Failure, AThrowingForwardFailsItsStepAndThePipelineLivesOn) {
  Script script;
  script.throw_at_call = 2;
  Trio trio(script, {.max_sequences = 1});
  int failed = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (trio.sinks[i]->wait().error) {
      trio.expect_error(i, Code::kInternal, "the model broke",
                        "stage 'forward' (fake.ring)");
      ++failed;
    } else {
      trio.expect_right(i);
    }
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(trio.pipeline.stats().failed, 1);
}

/// Looks at the counters as soon as it hears of the end.
class Looks final : public ResultSink {
 public:
  explicit Looks(const Pipeline& pipeline) : pipeline_(pipeline) {}
  void piece(const Request&, const Value&, int, bool) override {}
  void done(const Request&, const Report&) override {
    failed = pipeline_.stats().failed;
  }
  std::int64_t failed = -1;

 private:
  const Pipeline& pipeline_;
};

TEST(Failure, IsCountedBeforeItIsTold) {
  Script script;
  script.in_preprocess = [](const Request&) {
    throw Error(Code::kData, "no such number");
  };
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Looks>(pipeline);
  pipeline.submit(request("a", "1"), sink);
  pipeline.drain();
  EXPECT_EQ(sink->failed, 1);
}

TEST(Failure, WrongShapesAreNamed) {
  Script script;
  script.wrong_shape = true;
  Trio trio(script);
  for (std::size_t i = 0; i < 3; ++i) {
    trio.expect_error(i, Code::kInternal, "scores.values is f32[0",
                      "stage 'forward' (fake.ring)");
  }
}

struct BadPlan {
  std::string name;
  std::function<Plan(Plan)> change;
  std::string words;
};
void PrintTo(const BadPlan& c, std::ostream* os) { *os << c.name; }

class BadPlans : public ::testing::TestWithParam<BadPlan> {};

TEST_P(BadPlans, AreRefused) {
  Script script;
  script.change_plan = GetParam().change;
  Trio trio(script, {.max_sequences = 1, .max_wait_ms = 0});
  trio.expect_error(0, Code::kInternal, GetParam().words,
                    "stage 'batch' (fake.continuous)");
}

Sequence& foreign() {
  static Item item;
  static Sequence sequence;
  sequence.item = &item;
  sequence.tokens = {1};
  return sequence;
}

INSTANTIATE_TEST_SUITE_P(Table, BadPlans,
                         ::testing::ValuesIn<BadPlan>({
                             {"RowTwice",
                              [](Plan plan) {
                                if (!plan.slices.empty())
                                  plan.slices.push_back(plan.slices[0]);
                                return plan;
                              },
                              "names a sequence twice"},
                             {"ForeignRow",
                              [](Plan plan) {
                                if (!plan.slices.empty())
                                  plan.slices[0].sequence = &foreign();
                                return plan;
                              },
                              "was not offered"},
                             {"Throws",
                              [](const Plan&) -> Plan {
                                throw std::logic_error("no plan today");
                              },
                              "no plan today"},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(Failure, APromptOverTheContextIsRefusedWithTheNumbers) {
  Script script;
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(request("long", text_of(Tokens(201, 1))), sink);
  const Report& report = sink->wait();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code(), Code::kData);
  EXPECT_THAT(report.error->what(), HasSubstr("201 tokens"));
  EXPECT_THAT(report.error->what(), HasSubstr("200"));
}

TEST(Failure, OptionsAreCheckedAtSubmit) {
  Script script;
  Pipeline pipeline(file(script));
  Request bad = request("a", "1");
  bad.options["max_nev"] = RawScalar{"3"};
  try {
    pipeline.submit(bad, std::make_shared<Collect>());
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'max_new'"));
  }
}

}  // namespace
}  // namespace penstock::fakes
