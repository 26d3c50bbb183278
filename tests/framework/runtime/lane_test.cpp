// A lane whose Forward is on a device that does nothing before somebody waits
// for it: what is found out there, and whose the time is.
#include "runtime/lane.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <map>
#include <thread>

#include "penstock/outcome.h"
#include "penstock/stage_call.h"
#include "tests/framework/runtime/late_device.h"
#include "tests/framework/runtime/uses.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LateCopies;
using testing::LateDevice;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr auto kLong = std::chrono::milliseconds(40);

class Failures final : public CallWatcher {
 public:
  void called(const StageCall& call) override {
    calls.push_back(call.stage->spec->kind);
  }
  void failed(const StageCall& call, const Error& /*error*/) override {
    of.push_back(call.stage->spec->kind);
  }
  std::vector<StageKind> calls, of;
};

/// Of a device, with sequences that end after one token, 3.
class LateLane {
 public:
  LateLane() {
    script.start = [](Sequence& sequence) { sequence.want.top = 1; };
    script.forward = [this](const Step& step) {
      std::vector<float> values(static_cast<std::size_t>(step.outs()), 1.0F);
      for (const Slice& slice : step.slices) {
        const bool is_bad = slice.sequence->item->request->id == bad;
        if (is_bad) values.at(static_cast<std::size_t>(slice.out)) = kNan;
      }
      Result made;
      made.scores.ids =
          device.will_be(at::full({step.outs(), 1}, 3, at::kLong));
      made.scores.values = device.will_be(at::tensor(values).unsqueeze(1));
      return made;
    };
    script.decode = [](const Step& step, const Result&,
                       std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        Next& next = out.emplace_back();
        next.slice = i;
        next.tokens = {3};
        next.finish = Finish::kLength;
        next.emit.emplace_back().tokens = {3};
      }
    };
  }

  /// Requests "a" and "b" in one step.
  void run() {
    const PipelineFile file = uses::file(script);
    const auto batch = made<Batch>(file.batch);
    const auto forward = made<Forward>(file.forward);
    const auto decode = made<Decode>(file.decode);
    const auto writer = made<Postprocess>(file.postprocess);
    Boundary boundary(file);
    boundary.opened(facts_, at::kMeta);
    const std::vector<NoteSpec> notes;
    Lane lane({.batch = *batch,
               .forward = *forward,
               .decode = *decode,
               .boundary = boundary,
               .device = at::kMeta,
               .layout = Layout::kPacked,
               .batch_place = place("batch"),
               .forward_place = place("forward"),
               .decode_place = place("decode"),
               .item_notes = notes,
               .decode_spec = *file.decode.spec,
               .file = file,
               .watcher = &watcher,
               .copies =
                   [this](at::Device) {
                     return std::make_unique<LateCopies>(device);
                   }},
              facts_, board, trace, nullptr);
    std::vector<std::shared_ptr<Job>> jobs;
    for (const char* id : {"a", "b"}) {
      jobs.push_back(submit(lane, id));
    }
    Time later = Clock::now();
    while (!lane.is_idle()) lane.turn(later);
    for (const auto& job : jobs) {
      job->preprocessed();
      while (job->write_some({.stage = *writer,
                              .place = place("postprocess"),
                              .file = file,
                              .facts = facts_}) != Job::Progress::kDone) {
      }
      job->tell_end();
    }
  }

  /// What the request ended by; "": it has its answer.
  std::string error_of(const std::string& id) {
    const auto& report = sinks_.at(id)->wait().report;
    return report.error ? report.error->what() : "";
  }

  uses::Stages script;
  LateDevice device;
  std::string bad;  ///< the request whose scores are NaN
  StatsBoard board;
  Trace trace{/*is_enabled=*/true};
  Failures watcher;

 private:
  template <class Kind>
  static std::unique_ptr<Kind> made(const StageConfig& config) {
    auto stage = config.spec->make(config.params.get());
    return std::unique_ptr<Kind>(&dynamic_cast<Kind&>(*stage.release()));
  }
  static Place place(const std::string& name) {
    return {.kind = Place::Kind::kStage, .name = name, .detail = name};
  }
  std::shared_ptr<Job> submit(Lane& lane, const std::string& id) {
    sinks_[id] = std::make_shared<Collector>();
    auto job = std::make_shared<Job>(
        std::make_shared<Request>(fakes::request(id, "1 2")), sinks_[id],
        [] {});
    Item item;
    item.tokens = {1, 2};
    lane.arrivals().push(job, std::move(item));
    return job;
  }

  Notes facts_;
  std::map<std::string, std::shared_ptr<Collector>> sinks_;
};

TEST(LateLane, WaitsOnceInAStep) {
  LateLane lane;
  lane.run();
  EXPECT_EQ(lane.error_of("a") + lane.error_of("b"), "");
  EXPECT_EQ(lane.device.waits(), 1);
  EXPECT_THAT(
      lane.watcher.calls,
      ElementsAre(StageKind::kBatch, StageKind::kForward, StageKind::kDecode))
      << "each call once, though Decode's has two halves";
}

TEST(LateLane, FindsScoresThatAreNotFinite) {
  LateLane lane;
  lane.bad = "b";
  lane.run();
  EXPECT_EQ(lane.error_of("a"), "");
  EXPECT_THAT(lane.error_of("b"),
              HasSubstr("scores.values are not finite (nan)"));
  EXPECT_THAT(lane.error_of("b"), HasSubstr("in stage 'forward'"));
  EXPECT_EQ(lane.device.waits(), 1);
  EXPECT_THAT(lane.watcher.of, ElementsAre(StageKind::kForward));
}

/// pick() need not hand on the numbers that tell of it.
TEST(LateLane, FindsThemWhereDecodePicksOthers) {
  LateLane lane;
  lane.bad = "a";
  lane.script.pick = [&](const Step&, const Result&) {
    Result picked;
    picked.out = {{"best", lane.device.will_be(at::full({2}, 3.0F))}};
    return picked;
  };
  lane.run();
  EXPECT_THAT(lane.error_of("a"), HasSubstr("are not finite"));
  EXPECT_EQ(lane.error_of("b"), "");
  EXPECT_EQ(lane.device.waits(), 1);
}

TEST(LateLane, FindsScoresOfWhatIsNotAllowed) {
  LateLane lane;
  lane.script.start = [](Sequence& sequence) {
    sequence.want.top = 1;
    sequence.want.allowed = {std::make_shared<const TokenSet>(Tokens{2, 5})};
  };
  lane.run();
  for (const char* id : {"a", "b"}) {
    EXPECT_THAT(lane.error_of(id), HasSubstr("scores.ids has 3 as the best of"
                                             " 2 tokens"));
    EXPECT_THAT(lane.error_of(id), HasSubstr("in stage 'forward'"));
  }
  EXPECT_THAT(lane.watcher.of, ElementsAre(StageKind::kForward));
}

TEST(LateLane, TellsTheWaitAsForwards) {
  LateLane lane;
  const auto plain = lane.script.forward;
  lane.script.forward = [&](const Step& step) {
    lane.device.give([] { std::this_thread::sleep_for(kLong); });
    return plain(step);
  };
  lane.run();
  EXPECT_EQ(lane.error_of("a"), "");
  const double wait = std::chrono::duration<double>(kLong).count();
  EXPECT_GE(lane.board.read().forward_s, wait);
  EXPECT_LT(lane.board.read().decode_s, wait);
  EXPECT_THAT(lane.trace.json(), HasSubstr(R"("name":"wait for forward")"));
}

TEST(LateLane, TellsWhatFailsInTheWaitAsForwards) {
  LateLane lane;
  const auto plain = lane.script.forward;
  lane.script.forward = [&](const Step& step) {
    lane.device.give([] { throw Error(Code::kInternal, "illegal address"); });
    return plain(step);
  };
  lane.run();
  EXPECT_THAT(lane.error_of("a"), HasSubstr("illegal address"));
  EXPECT_THAT(lane.error_of("a"), HasSubstr("in stage 'forward'"));
  EXPECT_THAT(lane.watcher.of, ElementsAre(StageKind::kForward));
}

}  // namespace
}  // namespace penstock
