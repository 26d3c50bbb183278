// --trace of a server.
#include "pipeline_serve/serving/trace_book.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace penstock::serve {
namespace {

using Json = nlohmann::json;

class Traces : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }
  Json written(const TraceBook& book,
               const std::vector<std::string>& running = {}) {
    book.write(file_, running);
    std::ifstream in(file_);
    return Json::parse(in)["traceEvents"];
  }
  static TracedRequest request(const std::string& id) {
    TracedRequest out{
        .id = id,
        .model = "chat",
        .parent = TraceParent{.trace_id = "t", .parent_id = "p"},
        .timing = {.queue_ms = 2, .prefill_ms = 30, .decode_ms = 60},
        .finish_reason = "stop"};
    out.arrived = Clock::now();
    out.submitted = out.arrived + std::chrono::milliseconds(1);
    out.ended = out.arrived + std::chrono::milliseconds(100);
    return out;
  }
  std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                ("trace-" + std::to_string(::getpid()));
};

TEST_F(Traces, HaveTheSpansOfARequestWithItsTrace) {
  TraceBook book;
  book.request(request("a\"\n"));
  std::map<std::string, double> lasted;
  for (const Json& event : written(book)) {
    if (event["ph"] == "M") continue;
    EXPECT_EQ(event["id"], "a\"\n");
    lasted[event["name"]] +=
        (event["ph"] == "b" ? -1 : 1) * event["ts"].get<double>();
    if (event["ph"] != "b") continue;
    EXPECT_EQ(event["args"]["trace_id"], "t");
    EXPECT_EQ(event["args"]["parent_id"], "p");
    EXPECT_EQ(event["args"]["model"], "chat");
  }
  ASSERT_EQ(lasted.size(), 4U);
  EXPECT_NEAR(lasted["request"], 100e3, 1);
  EXPECT_NEAR(lasted["queue"], 2e3, 1);
  EXPECT_NEAR(lasted["prompt"], 30e3, 1);
  EXPECT_NEAR(lasted["answer"], 60e3, 1);
}

TEST_F(Traces, HaveWhatPipelinesDid) {
  TraceBook book;
  book.keep("{\"traceEvents\":[\n{\"name\":\"closed\"}\n]}\n");
  book.keep("{\"traceEvents\":[\n]}\n");
  book.keep("");
  std::set<std::string> names;
  for (const Json& event : written(
           book, {"{\"traceEvents\":[\n{\"name\":\"runs [1]\"}\n]}\n", ""})) {
    names.insert(event["name"]);
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"closed", "process_name", "runs [1]"}));
}

TEST_F(Traces, KeepTheNewest) {
  TraceBook book(5000);
  for (int i = 0; i < 100; ++i) book.request(request(std::to_string(i)));
  const Json events = written(book);
  EXPECT_LT(events.dump().size(), 6000U);
  EXPECT_EQ(events.back()["id"], "99");
  EXPECT_EQ(written(TraceBook()).size(), 1U);
}

TEST_F(Traces, SayWhichFileCannotBeWritten) {
  try {
    TraceBook().write("/nowhere/trace.json", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.text().find("/nowhere/trace.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock::serve
