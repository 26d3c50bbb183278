// The Open Inference Protocol over a pipeline of fake stages.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "pipeline_serve/api/routes.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::serve {
namespace {

using namespace std::string_literals;
using OutJson = nlohmann::ordered_json;

/// Keeps the answer.
class KeptReply final : public Reply {
 public:
  void send(Answer answer) override { keep(std::move(answer), true); }
  void begin(Answer head) override {
    has_begun_ = true;
    keep(std::move(head), false);
  }
  void write(std::string bytes) override {
    const std::scoped_lock lock(mutex_);
    answer_.body += bytes;
  }
  void end() override {
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
    over_.notify_all();
  }
  [[nodiscard]] bool has_begun() const override { return has_begun_; }
  void on_gone(std::function<void()> /*call*/) override {}

  Answer wait() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(over_.wait_for(lock, std::chrono::seconds(60),
                               [&] { return is_over_; }));
    return answer_;
  }

 private:
  void keep(Answer answer, bool is_over) {
    const std::scoped_lock lock(mutex_);
    EXPECT_FALSE(is_over_) << "two answers";
    answer_ = std::move(answer);
    is_over_ = is_over;
    over_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable over_;
  Answer answer_;
  std::atomic<bool> has_begun_{false};
  bool is_over_ = false;
};

class Inference : public ::testing::Test {
 protected:
  void SetUp() override {
    models_.add(std::make_unique<Served>("ring",
                                         composition_of(fakes::file(script_)),
                                         ServedOptions(), metrics_));
    add_inference({.router = router_, .models = models_, .metrics = metrics_});
  }

  void open() { models_.find("ring")->open(); }

  Answer ask(const std::string& method, const std::string& path,
             const std::string& body = {}, const std::string& length = {}) {
    const auto found = router_.find(method, path);
    EXPECT_NE(found.route, nullptr) << path;
    auto reply = std::make_shared<KeptReply>();
    Call call{.request = {}, .parts = found.parts, .reply = reply};
    call.request.id = "r";
    call.request.path = path;
    call.request.body = body;
    call.request.arrived = Clock::now();
    if (!length.empty()) {
      call.request.fields.add("inference-header-content-length", length);
    }
    try {
      found.route->handler(std::move(call));
    } catch (...) {
      return answer_of(caught_error(), path);
    }
    return reply->wait();
  }
  Answer infer(const OutJson& body) {
    return ask("POST", "/v2/models/ring/infer", body.dump());
  }

  fakes::Script script_;
  Router router_;
  Metrics metrics_;
  Models models_;  ///< requests that run still count
};

OutJson texts(const std::vector<std::string>& data) {
  return {{"inputs", OutJson::array({{{"name", "text"},
                                      {"shape", OutJson::array({data.size()})},
                                      {"datatype", "BYTES"},
                                      {"data", data}}})},
          {"parameters", {{"max_new", 3}}}};
}

/// What the ring model goes on with.
std::string answer_to(const Tokens& prompt) {
  return fakes::text_of(fakes::answer(prompt, 3));
}

TEST_F(Inference, KeepsTheOrderOfABatch) {
  open();
  const auto answer = infer(texts({"3 1 4", "1", "5 9 2 6"}));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto json = OutJson::parse(answer.body);
  EXPECT_EQ(json["model_name"], "ring");
  EXPECT_EQ(json["model_version"], "1");
  EXPECT_FALSE(json.contains("id"));
  ASSERT_EQ(json["outputs"].size(), 2U);
  const auto& text = json["outputs"][0];
  EXPECT_EQ(text["name"], "text");
  EXPECT_EQ(text["shape"], OutJson::array({3}));
  EXPECT_EQ(text["data"], (OutJson{answer_to({3, 1, 4}), answer_to({1}),
                                   answer_to({5, 9, 2, 6})}));
}

TEST_F(Inference, GivesColumnsForColumns) {
  open();
  auto body = texts({"3", "1"});
  body["inputs"][0]["shape"] = {2, 1};
  body["id"] = "mine";
  body["outputs"] = OutJson::array({{{"name", "text"}}});
  const auto json = OutJson::parse(infer(body).body);
  EXPECT_EQ(json["id"], "mine");
  ASSERT_EQ(json["outputs"].size(), 1U);
  EXPECT_EQ(json["outputs"][0]["shape"], (OutJson{2, 1}));
}

TEST_F(Inference, TakesAndGivesBytes) {
  open();
  const std::string json =
      R"({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",)"
      R"("parameters": {"binary_data_size": 9}}], "parameters":)"
      R"({"max_new": 3, "binary_data_output": true},)"
      R"("outputs": [{"name": "text"}]})";
  const auto answer =
      ask("POST", "/v2/models/ring/versions/1/infer",
          json + "\5\0\0\0"s + "3 1 4", std::to_string(json.size()));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto size = static_cast<std::size_t>(std::stoi(
      std::string(answer.fields.get("Inference-Header-Content-Length"))));
  const auto head = OutJson::parse(answer.body.substr(0, size));
  const std::string text = answer_to({3, 1, 4});
  EXPECT_EQ(head["outputs"][0]["parameters"]["binary_data_size"],
            text.size() + 4);
  EXPECT_EQ(answer.body.substr(size + 4), text);
}

TEST_F(Inference, FailsAsAWholeAndNamesTheElement) {
  script_.in_preprocess = [](const Request& request) {
    if (text_input(request) == "bad") {
      throw Error(Code::kData, "these are no numbers");
    }
  };
  open();
  const auto answer = infer(texts({"3 1 4", "bad", "1"}));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(OutJson::parse(answer.body)["error"],
            "element 1: these are no numbers");
}

TEST_F(Inference, NamesOptionsThatAreWrong) {
  open();
  for (const auto& [name, value] : {std::pair{"max_mew", OutJson(3)},
                                    {"max_new", OutJson(-3)},
                                    {"max_new", OutJson("3")},
                                    {"script", OutJson(1)}}) {
    auto body = texts({"3"});
    body["parameters"] = {{name, value}};
    const auto answer = infer(body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(answer.body.find(name), std::string::npos) << answer.body;
  }
}

TEST_F(Inference, NamesOpenAisOptionAsItWasWritten) {
  open();
  auto body = texts({"3"});
  body["parameters"] = {{"max_tokens", 3}};
  const auto answer = infer(body);
  EXPECT_EQ(answer.status, 400);  // the ring has no max_new_tokens
  EXPECT_NE(answer.body.find("'max_tokens'"), std::string::npos);
}

TEST_F(Inference, SaysWhenItIsNotReady) {
  for (const char* path : {"/v2/health/ready", "/v2/models/ring/ready"}) {
    EXPECT_EQ(ask("GET", path).status, 503);
  }
  EXPECT_EQ(ask("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/ring").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/ring/stats").status, 200);
  EXPECT_EQ(infer(texts({"3"})).status, 503);
  open();
  EXPECT_EQ(ask("GET", "/v2/health/ready").status, 200);
  models_.find("ring")->close_door();
  EXPECT_EQ(ask("GET", "/v2/health/ready").status, 503);
  EXPECT_EQ(infer(texts({"3"})).status, 503);
}

TEST_F(Inference, KnowsModelsAndVersions) {
  for (const char* path : {"/v2/models/rink", "/v2/models/rink/ready",
                           "/v2/models/ring/versions/2"}) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 404);
    EXPECT_TRUE(OutJson::parse(answer.body)["error"].is_string());
  }
  const auto meta =
      OutJson::parse(ask("GET", "/v2/models/ring/versions/1").body);
  EXPECT_EQ(meta["versions"], OutJson::array({"1"}));
  EXPECT_EQ(meta["inputs"][0]["name"], "text");
  EXPECT_EQ(meta["inputs"][0]["shape"], OutJson::array({-1}));
}

TEST_F(Inference, GeneratesAText) {
  open();
  const auto answer = ask("POST", "/v2/models/ring/generate",
                          R"({"text_input": "3 1 4", "id": "a",)"
                          R"("parameters": {"max_new": 3}})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto json = OutJson::parse(answer.body);
  EXPECT_EQ(json["text_output"], answer_to({3, 1, 4}));
  EXPECT_EQ(json["id"], "a");
  for (const char* body :
       {"{}", R"({"text_input": 3})", R"({"text_input": "3", "text": "3"})",
        R"({"text_input": "3", "stream": true})",
        R"({"text_input": "3", "max_mew": 3})"}) {
    EXPECT_EQ(ask("POST", "/v2/models/ring/generate", body).status, 400);
  }
}

TEST_F(Inference, StreamsAText) {
  open();
  const auto answer = ask("POST", "/v2/models/ring/generate_stream",
                          R"({"text_input": "3 1 4", "max_new": 3})");
  EXPECT_EQ(answer.type, "text/event-stream");
  std::istringstream lines(answer.body);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    ASSERT_TRUE(line.starts_with("data: "));
    text += OutJson::parse(line.substr(6))["text_output"].get<std::string>();
  }
  EXPECT_EQ(text, answer_to({3, 1, 4}));
}

TEST_F(Inference, ListsModelsAndLoadsNone) {
  const auto index = [&](const std::string& body) {
    return OutJson::parse(ask("POST", "/v2/repository/index", body).body);
  };
  EXPECT_EQ(index("")[0]["state"], "LOADING");
  EXPECT_TRUE(index(R"({"ready": true})").empty());
  open();
  EXPECT_EQ(index(R"({"ready": true})")[0]["name"], "ring");
  for (const char* action : {"load", "unload"}) {
    EXPECT_EQ(ask("POST", "/v2/repository/models/ring/"s + action, "{}").status,
              400);
  }
}

TEST_F(Inference, CountsWhatWasDone) {
  open();
  (void)infer(texts({"3", "1"}));
  const auto all = OutJson::parse(ask("GET", "/v2/models/stats").body);
  const auto& stats = all["model_stats"][0];
  EXPECT_EQ(stats["name"], "ring");
  EXPECT_EQ(stats["inference_count"], 2);
  EXPECT_EQ(stats["inference_stats"]["success"]["count"], 2);
  EXPECT_EQ(stats["inference_stats"]["fail"]["count"], 0);
}

}  // namespace
}  // namespace penstock::serve
