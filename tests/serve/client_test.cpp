// Whose a request is: what its key says reaches the Batch, and nobody says it
// himself; one client's flood does not keep another from running.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "pipeline_serve/serving/client_options.h"
#include "pipeline_serve/serving/served.h"
#include "tests/framework/runtime/fakes.h"
#include "tests/serve/no_reply.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

Call call_of(const std::string& client, const Terms& terms = {}) {
  Call call{.request = {}, .parts = {}, .reply = std::make_shared<NoReply>()};
  call.request.client = client;
  call.request.terms = terms;
  call.request.arrived = Clock::now();
  return call;
}

std::string text(const Raw& raw) { return std::get<RawScalar>(raw).text; }

class ClientOptions : public ::testing::Test {
 protected:
  /// The error, or one of status 0.
  HttpError error_of(const Terms& terms) {
    try {
      set_client_options(file_, call_of("app", terms).request, request_);
    } catch (const HttpError& error) {
      return error;
    }
    HttpError none;
    none.status = 0;
    return none;
  }
  fakes::Script script_;
  CompositionFile file_ = composition_of(fakes::file(script_));
  Request request_;
};

TEST_F(ClientOptions, AreWhatTheKeySays) {
  EXPECT_EQ(error_of({.weight = 0.25, .priority = 0}).status, 0);
  ASSERT_EQ(request_.options.size(), 2U);
  EXPECT_EQ(text(request_.options.at("batch.client")), "app");
  EXPECT_EQ(text(request_.options.at("batch.weight")), "0.25");
  EXPECT_NO_THROW((void)check_options(file_.steps[0].file, request_.options));
}

TEST_F(ClientOptions, AreNotThereWithoutAKey) {
  set_client_options(file_, call_of("").request, request_);
  EXPECT_TRUE(request_.options.empty());
}

TEST_F(ClientOptions, CannotBeAskedFor) {
  for (const char* name :
       {"client", "batch.client", "weight", "batch.weight"}) {
    for (const char* client : {"app", ""}) {
      request_.options = {{name, RawScalar{"2"}}};
      try {
        set_client_options(file_, call_of(client).request, request_);
        ADD_FAILURE() << name;
      } catch (const HttpError& error) {
        EXPECT_EQ(error.status, 400);
        EXPECT_EQ(error.param, str("options.", name));
        EXPECT_THAT(error.message, HasSubstr(name));
      }
    }
  }
}

TEST_F(ClientOptions, HoldThePriorityToTheKeys) {
  const Terms most{.weight = 1, .priority = 2};
  for (const char* name : {"priority", "batch.priority"}) {
    request_.options = {{name, RawScalar{"2"}}};
    EXPECT_EQ(error_of(most).status, 0);
    EXPECT_EQ(text(request_.options.at(name)), "2");
    request_.options = {{name, RawScalar{"3"}}};
    const HttpError error = error_of(most);
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.param, str("options.", name));
    EXPECT_THAT(error.message, HasSubstr("is 3, but this key"));
  }
}

TEST_F(ClientOptions, LowerThePriorityOfTheFile) {
  const Terms low{.weight = 1, .priority = -5};
  EXPECT_EQ(error_of(low).status, 0);
  EXPECT_EQ(text(request_.options.at("batch.priority")), "-5");
}

/// One slot, which is held until everybody has sent what he sends.
class Flood : public ::testing::Test {
 protected:
  Flood() {
    script_.forward_time = std::chrono::milliseconds(1);
    script_.in_preprocess = [this](const Request&) { ++prepared_; };
    script_.in_decode = [this](const Sequence&) {
      while (prepared_ < expected_) std::this_thread::yield();
      // What is prepared is in the queue a moment later.
      std::call_once(is_full_, [] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      });
    };
    script_.in_writer = [this](const Request& request) {
      const std::scoped_lock lock(mutex_);
      if (order_.empty() || order_.back() != request.id) {
        order_.push_back(request.id);
      }
    };
    // Slots are 8 as far as the server knows: eight requests fill the queue.
    ServedOptions options;
    options.max_queue = 0;
    served_ = std::make_unique<Served>(
        "ring", composition_of(fakes::file(script_, {.max_sequences = 1})),
        std::move(options), metrics_);
    served_->open();
  }
  /// False: refused.
  bool send(const std::string& client, const std::string& id,
            const Terms& terms = {}) {
    const Call call = call_of(client, terms);
    try {
      const auto ticket = served_->admit(call);
      auto sink = std::make_shared<fakes::Collect>();
      auto request = fakes::request(id, "3 1 4");
      (void)served_->submit(std::move(request), sink, ticket, call);
      sinks_.push_back(std::move(sink));
      return true;
    } catch (const HttpError& error) {
      EXPECT_EQ(error.status, 429);
      EXPECT_TRUE(error.fields.has("Retry-After"));
      return false;
    }
  }
  /// How many came in.
  int flood(const std::string& client, int count) {
    int out = 0;
    for (int i = 0; i < count; ++i) out += send(client, str(client, i)) ? 1 : 0;
    return out;
  }
  std::vector<std::string> order() {
    for (const auto& sink : sinks_) (void)sink->wait();
    return order_;
  }

  fakes::Script script_;
  std::atomic<int> prepared_{0}, expected_{1 << 30};
  std::once_flag is_full_;
  std::mutex mutex_;
  std::vector<std::string> order_;
  std::vector<std::shared_ptr<fakes::Collect>> sinks_;
  Metrics metrics_;
  std::unique_ptr<Served> served_;
};

TEST_F(Flood, AnotherKeysRequestIsAdmittedAndIsNext) {
  EXPECT_EQ(flood("a", 40), 8);
  EXPECT_TRUE(send("b", "b"));
  EXPECT_FALSE(send("a", "more"));
  expected_ = 9;
  const auto order = this->order();
  ASSERT_EQ(order.size(), 9U);
  EXPECT_EQ(order[0], "a0");
  EXPECT_EQ(order[1], "b") << "within one turn of the slot";
}

TEST_F(Flood, WithoutKeysWhoeverCameFirstIsNext) {
  EXPECT_EQ(flood("", 12), 8);
  expected_ = 8;
  EXPECT_EQ(order(),
            (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST_F(Flood, WeightsSayWhoHasMore) {
  const Terms heavy{.weight = 3};
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(send("a", str("a", i)));
    EXPECT_TRUE(send("b", str("b", i), heavy));
  }
  expected_ = 8;
  const auto order = this->order();
  ASSERT_EQ(order.size(), 8U);
  const auto b =
      std::count_if(order.begin() + 1, order.begin() + 5,
                    [](const std::string& id) { return id.front() == 'b'; });
  EXPECT_GE(b, 3);
}

}  // namespace
}  // namespace penstock::serve
