// Times on demand: the field, and the comment behind a stream.
#include "pipeline_serve/http/call_times.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

/// Keeps what was sent.
class KeptTimes final : public Reply {
 public:
  void send(Answer given) override { answer = std::move(given); }
  void begin(Answer given) override { answer = std::move(given); }
  void write(std::string bytes) override { answer.body += bytes; }
  void end() override { is_ended = true; }
  [[nodiscard]] bool has_begun() const override { return false; }
  void on_gone(std::function<void()> /*call*/) override {}

  Answer answer;
  bool is_ended = false;
};

TEST(CallTimes, KeepTheSlowestOfSeveralRequests) {
  const Time arrived = Clock::now();
  CallTimes times(arrived);
  times.longest("queue", 2);
  times.longest("queue", 0.5);
  times.shortest("first_token", 4);
  times.shortest("first_token", 3.25);
  EXPECT_EQ(times.text(arrived + std::chrono::milliseconds(12)),
            "queue;dur=2.000, first_token;dur=3.250, total;dur=12.000");
}

TEST(CallTimes, AreAFieldOfAWholeAnswer) {
  const auto kept = std::make_shared<KeptTimes>();
  const auto times = std::make_shared<CallTimes>(Clock::now());
  times->longest("prompt", 1);
  timed_reply(kept, times)->send({.body = "{}", .fields = {}});
  EXPECT_TRUE(kept->answer.fields.get("server-timing")
                  .starts_with("prompt;dur=1.000, total;dur="));
  EXPECT_EQ(kept->answer.body, "{}");
}

TEST(CallTimes, AreTheLastCommentOfAStreamOfEvents) {
  for (const bool is_events : {true, false}) {
    const auto kept = std::make_shared<KeptTimes>();
    const auto reply =
        timed_reply(kept, std::make_shared<CallTimes>(Clock::now()));
    reply->begin({.type = is_events ? "text/event-stream" : "text/plain",
                  .body = "data: a\n\n",
                  .fields = {}});
    reply->end();
    EXPECT_TRUE(kept->is_ended);
    const std::string more = kept->answer.body.substr(9);
    EXPECT_EQ(more.starts_with(": timing total;dur="), is_events) << more;
    EXPECT_EQ(more.ends_with("\n\n"), is_events);
  }
}

}  // namespace
}  // namespace penstock::serve
