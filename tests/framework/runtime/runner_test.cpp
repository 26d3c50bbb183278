// Runner: one way to run a pipeline alone and one with steps; results as
// values, streams and sinks; what a sink throws is told.
#include "penstock/runner.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/framework/runtime/fakes.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::fakes {
namespace {

using ::testing::HasSubstr;

TEST(Runner, GivesAResultAsAValue) {
  Script script;
  script.items = 2;
  Runner runner(file(script));
  const Outcome outcome = runner.run(request("a", "3 1 4"));
  EXPECT_EQ(outcome.text(), text_of(answer({3, 1, 4}, script.max_new)));
  EXPECT_EQ(outcome.text(1), text_of(answer({3, 1, 4}, script.max_new, 1)));
  EXPECT_EQ(outcome.text(2), "");
  EXPECT_EQ(outcome.json(), "{}");
  EXPECT_EQ(outcome.report.finish_reason, "length");
  EXPECT_EQ(outcome.report.token_ids, answer({3, 1, 4}, script.max_new));
  EXPECT_EQ(outcome.report.branches.size(), 2);
  EXPECT_EQ(runner.stats().at(0).first, "");
  EXPECT_EQ(runner.stats().at(0).second.requests, 1);
}

TEST(Runner, ThrowsTheErrorOfARequestWhoseResultIsAsked) {
  Script script;
  script.throw_at_call = 1;
  Runner runner(file(script));
  try {
    (void)runner.run(request("a", "3"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage 'forward' (fake.ring)"));
  }
  EXPECT_EQ(runner.run(request("b", "3")).text(),
            text_of(answer({3}, script.max_new)));
}

TEST(Runner, StreamsToALambda) {
  Script script;
  Runner runner(file(script));
  std::string text;
  int pieces = 0;
  runner.submit(request("a", "3"), [&](const Value& value, int /*branch*/) {
    text += std::get<std::string>(value);
    ++pieces;
  });
  runner.drain();
  EXPECT_EQ(text, text_of(answer({3}, script.max_new)));
  EXPECT_EQ(pieces, script.max_new);
}

TEST(Runner, TellsTheErrorOfAStreamWhenItIsDrained) {
  Script script;
  script.in_preprocess = [](const Request&) {
    throw Error(Code::kData, "no such number");
  };
  Runner runner(file(script));
  runner.submit(request("a", "3"), [](const Value&, int) {});
  EXPECT_THROW(runner.drain(), Error);
  runner.drain();  // told once
}

/// Throws in one of its calls.
class Breaks final : public ResultSink {
 public:
  explicit Breaks(std::string where) : where_(std::move(where)) {}
  void piece(const Request&, const Value&, int, bool) override { at("piece"); }
  void part_done(const Request&, const Report&) override { at("part_done"); }
  void done(const Request&, const Report& its) override {
    report = its;
    at("done");
  }
  Report report;

 private:
  void at(const std::string& call) const {
    if (call == where_) throw std::runtime_error("the pen broke");
  }
  std::string where_;
};

TEST(Runner, ASinkThatThrowsEndsItsRequestOnly) {
  for (const char* where : {"piece", "part_done"}) {
    Script script;
    Runner runner(file(script));
    const auto bad = std::make_shared<Breaks>(where);
    runner.submit(request("a", "3"), bad);
    EXPECT_EQ(runner.run(request("b", "3")).report.finish_reason, "length");
    runner.drain();
    EXPECT_EQ(bad->report.ending, Ending::kError) << where;
    ASSERT_TRUE(bad->report.error) << where;
    EXPECT_EQ(bad->report.error->code(), Code::kInternal);
    EXPECT_EQ(bad->report.error->places().at(0).kind, Place::Kind::kSink);
    EXPECT_THAT(bad->report.error->what(), HasSubstr("the pen broke"));
  }
}

TEST(Runner, WhatASinkThrowsAtItsEndIsThrownByDrain) {
  Script script;
  Runner runner(file(script));
  runner.submit(request("a", "3"), std::make_shared<Breaks>("done"));
  EXPECT_EQ(runner.run(request("b", "3")).report.finish_reason, "length");
  try {
    runner.drain();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the pen broke"));
    EXPECT_THAT(error.what(), HasSubstr("request 'a'"));
  }
}

/// `file`, as if its first stage took a file by the name of `image`.
void take_media(PipelineFile& file) {
  const auto spec = std::make_shared<StageSpec>(*file.preprocess.front().spec);
  spec->inputs = {parse_port("image: media")};
  file.preprocess.front().described = spec;
  file.preprocess.front().spec = spec.get();
}

/// A step that gives what `write` writes, and one that takes pictures of it.
struct WordsAndPictures {
  explicit WordsAndPictures(
      std::function<bool(const Decoded&, OutputSink&)> write) {
    finder.forward = [](const Step&) { return Result{}; };
    finder.decode = [](const Step& step, const Result&,
                       std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        Next& next = out.emplace_back();
        next.slice = i;
        next.emit.emplace_back();
        next.finish = Finish::kEnd;
      }
    };
    finder.write = std::move(write);
    taker.preprocess = {[this](const Request&, Item, ItemSink&) { ++taken; }};
    composition.name = "both";
    composition.steps = {{.name = "find", .file = uses::file(finder), .in = {}},
                         {.name = "take", .file = uses::file(taker), .in = {}}};
    composition.steps[1].in["image"].each = "find";
    take_media(composition.steps[1].file);
  }
  uses::Stages finder, taker;
  CompositionFile composition;
  std::atomic<int> taken{0};
};

TEST(Words, BesideJsonSayThatNothingWasFoundAndGoNowhere) {
  WordsAndPictures both([](const Decoded& /*decoded*/, OutputSink& out) {
    out.emit(Json{R"({"boxes": []})"}, 0, false);
    out.emit(std::string("/etc/hostname"), 0, true);
    return true;
  });
  Runner runner(both.composition);
  EXPECT_FALSE(runner.run(request("a", "1")).report.error);
  EXPECT_EQ(both.taken, 0);
}

TEST(Words, NeverNameAFile) {
  WordsAndPictures both([](const Decoded& /*decoded*/, OutputSink& out) {
    out.emit(std::string("/etc/hostname"), 0, true);
    return true;
  });
  Runner runner(both.composition);
  try {
    (void)runner.run(request("a", "1"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it gives words alone"));
    EXPECT_THAT(error.what(), HasSubstr("the input 'image' of step 'take'"));
    EXPECT_THAT(error.what(), HasSubstr("in step 'find'"));
  }
  EXPECT_EQ(both.taken, 0);
}

TEST(Pipelines, BlameASinkForWhatItThrowsNotAStage) {
  Script script;
  Pipeline pipeline(file(script));
  const auto bad = std::make_shared<Breaks>("piece");
  pipeline.submit(request("a", "3"), bad);
  pipeline.drain();
  ASSERT_TRUE(bad->report.error);
  ASSERT_EQ(bad->report.error->places().size(), 1);
  EXPECT_EQ(bad->report.error->places()[0].kind, Place::Kind::kSink);
  pipeline.submit(request("a", "3"), std::make_shared<Breaks>("done"));
  EXPECT_THROW(pipeline.drain(), Error);
}

/// A pipeline whose Writer emits `value`, once.
struct Emits : uses::Stages {
  explicit Emits(std::vector<std::pair<Value, int>> pieces) {
    forward = [](const Step&) { return Result(); };
    start = [](Sequence& sequence) { sequence.want.from = kNone; };
    decode = [](const Step& step, const Result&, std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        Next next;
        next.slice = i;
        next.emit.resize(1);
        next.finish = Finish::kEnd;
        out.push_back(std::move(next));
      }
    };
    preprocess = {[](const Request&, Item in, ItemSink& out) {
      out.push(std::move(in));
    }};
    write = [pieces = std::move(pieces)](const Decoded&, OutputSink& out) {
      for (const auto& [value, branch] : pieces) {
        out.emit(value, branch, false);
      }
      return true;
    };
  }
};

TEST(Emitted, JsonIsJoinedIntoOneObject) {
  Emits stages({{Json{R"({"a": [1], "b": {"c": 1}})"}, 0},
                {Json{R"( {"a": [2], "b": {"d": 2}, "e": "x"})"}, 0}});
  Runner runner(uses::file(stages));
  EXPECT_EQ(runner.run(request("a", "3")).json(),
            R"({"a":[1,2],"b":{"c":1,"d":2},"e":"x"})");
}

struct BadPiece {
  Value value;
  int branch;
  std::string words;
};

TEST(Emitted, WhatIsNoResultIsBlamedOnItsStage) {
  for (const BadPiece& c : std::vector<BadPiece>{
           {Json{"[1, 2]"}, 0, "emitted JSON that is an array; expected an"},
           {Json{" 7"}, 0, "emitted JSON that is a number"},
           {Json{"null"}, 0, "emitted JSON that is null"},
           {Json{"{\"a\": 1"}, 0, "emitted what is no JSON: "},
           {Json{""}, 0, "emitted what is no JSON: "},
           {Json{"{\"a\": NaN}"}, 0, "emitted what is no JSON: "},
           {Json{"{\"a\": \"\xFF\"}"}, 0, "emitted what is no JSON: "},
           {std::string("a"), 77,
            "a piece of branch 77, but the request has 1"},
           {std::string("a"), -1, "a piece of branch -1"}}) {
    Emits stages({{c.value, c.branch}});
    Runner runner(uses::file(stages));
    const auto sink = std::make_shared<Collector>();
    runner.submit(request("a", "3"), sink);
    const Report& report = sink->wait().report;
    ASSERT_TRUE(report.error) << c.words;
    EXPECT_EQ(report.error->code(), Code::kInternal);
    EXPECT_THAT(report.error->what(), HasSubstr(c.words));
    EXPECT_EQ(report.error->places().at(0).name, "postprocess");
    EXPECT_TRUE(sink->wait().pieces.empty());
  }
}

double rss_mib() {
  std::ifstream in("/proc/self/statm");
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * 4096 / (1 << 20);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kParts = 2'000;
#else
constexpr int kParts = 100'000;
#endif
// AddressSanitizer keeps 256 MiB of what is freed, by design.
#if defined(__SANITIZE_ADDRESS__)
constexpr double kMostMib = 16 + 256;
#else
constexpr double kMostMib = 16;
#endif

/// Forgets every part, but looks at the memory.
class Counts final : public ResultSink {
 public:
  void piece(const Request&, const Value&, int, bool) override {}
  void part_done(const Request& from, const Report&) override {
    if (from.step != "second") return;
    if (++parts == kParts / 10) early = rss_mib();
    if (parts == kParts) late = rss_mib();
  }
  void done(const Request&, const Report& its) override { report = its; }
  int parts = 0;
  double early = 0, late = 0;
  Report report;
};

TEST(Runner, ForgetsPartsThatWereHandedOn) {
  // A step that gives tensors of 16 KiB one by one, hours of film in small.
  Emits source({});
  source.write = [](const Decoded&, OutputSink& out) {
    for (int i = 0; i < kParts; ++i) {
      out.emit(Tensors{{"x", at::full({4096}, static_cast<float>(i))}}, 0,
               false);
    }
    return true;
  };
  Emits taker({{std::string("seen "), 0}});
  CompositionFile film;
  film.steps.resize(2);
  film.steps[0].name = "first";
  film.steps[0].file = uses::file(source);
  film.steps[1].name = "second";
  film.steps[1].file = uses::file(taker);
  film.steps[1].in["frame"] = {.input = "", .each = "first"};
  Runner runner(film);
  const auto sink = std::make_shared<Counts>();
  runner.submit(request("film", "1"), sink);
  runner.drain();
  ASSERT_FALSE(sink->report.error) << sink->report.error->what();
  EXPECT_EQ(sink->parts, kParts);
  EXPECT_LT(sink->late - sink->early, kMostMib)
      << "MiB more after " << kParts * 9 / 10 << " parts";
}

}  // namespace
}  // namespace penstock::fakes
