// Pipelines that change while requests run in them.
#include "pipeline_serve/serving/renewal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <thread>

#include "pipeline_serve/serving/fingerprint.h"
#include "tests/framework/runtime/fakes.h"
#include "tests/serve/no_reply.h"

namespace penstock::serve {
namespace {

/// Fakes of another script are another file.
PipelineFile file_of(fakes::Script& script) {
  PipelineFile file = fakes::file(script);
  const auto which = reinterpret_cast<std::uintptr_t>(&script);
  file.forward.settings["script"] = {.value = static_cast<std::int64_t>(which),
                                     .source = "test"};
  return file;
}

class Renewals : public ::testing::Test {
 protected:
  std::unique_ptr<Served> served(const std::string& name,
                                 fakes::Script& script) {
    return std::make_unique<Served>(name, composition_of(file_of(script)),
                                    ServedOptions(), metrics_);
  }
  void serve(const std::string& name, fakes::Script& script) {
    models_.add(served(name, script));
    models_.find(name)->open();
  }
  /// The names that are wanted, each with its script.
  Renewal renewed(
      const std::vector<std::pair<std::string, fakes::Script*>>& wanted) {
    std::vector<std::unique_ptr<Served>> all;
    for (const auto& [name, script] : wanted) {
      all.push_back(served(name, *script));
    }
    return renew(models_, std::move(all));
  }
  std::shared_ptr<fakes::Collect> submitted(const std::string& name) {
    const Use use = models_.find(name);
    auto sink = std::make_shared<fakes::Collect>();
    Call call{.request = {}, .parts = {}, .reply = std::make_shared<NoReply>()};
    call.request.arrived = Clock::now();
    use->submit(fakes::request("r", "3 1 4"), sink, use->admit(call), call);
    return sink;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Use& each : models_.all()) out.push_back(each->name());
    return out;
  }

  fakes::Script first_, second_;
  Metrics metrics_;
  Models models_;
};

TEST_F(Renewals, KeepWhatIsAsItWas) {
  serve("a", first_);
  const Served* before = models_.find("a").get();
  EXPECT_EQ(renewed({{"a", &first_}}).text(), "no pipeline changed");
  EXPECT_EQ(models_.find("a").get(), before);
  EXPECT_FALSE(models_.close_unused());
  EXPECT_EQ(models_.find("a").get(), before);
}

TEST_F(Renewals, AddChangeAndRemove) {
  serve("a", first_);
  serve("b", first_);
  const auto renewal = renewed({{"c", &first_}, {"a", &second_}});
  EXPECT_EQ(renewal.text(), "added c; changed a; removed b");
  EXPECT_EQ(names(), (std::vector<std::string>{"c", "a"}));
  EXPECT_TRUE(models_.is_ready());
  EXPECT_EQ(models_.find("b"), nullptr);
}

TEST_F(Renewals, LetRequestsEndWhereTheyBegan) {
  std::promise<void> go;
  const auto may_go = go.get_future().share();
  first_.in_writer = [may_go](const Request&) { may_go.wait(); };
  serve("a", first_);
  const auto old = submitted("a");
  renewed({{"a", &second_}});
  const auto fresh = submitted("a");
  EXPECT_EQ(fresh->wait().ending, Ending::kWhole);
  EXPECT_GT(second_.calls, 0);
  EXPECT_TRUE(models_.close_unused()) << "it has a request";
  EXPECT_FALSE(old->is_done());
  go.set_value();
  EXPECT_EQ(old->wait().ending, Ending::kWhole);
  EXPECT_EQ(old->text(), fresh->text());
  while (models_.close_unused()) std::this_thread::yield();
  EXPECT_EQ(models_.all_and_leaving().size(), 1U);
}

TEST_F(Renewals, CountTheTokensOfThoseThatLeft) {
  serve("a", first_);
  submitted("a")->wait();
  const auto made = models_.generated("a");
  EXPECT_GT(made, 0);
  renewed({{"a", &second_}});
  EXPECT_EQ(models_.generated("a"), made);
  int closed = 0;
  while (models_.close_unused([&](const Served&) { ++closed; })) {
    std::this_thread::yield();
  }
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(models_.generated("a"), made);
  submitted("a")->wait();
  EXPECT_EQ(models_.generated("a"), 2 * made);
}

TEST_F(Renewals, ChangeNothingWhereOneCannotBeOpened) {
  serve("a", first_);
  serve("b", first_);
  const Served* before = models_.find("a").get();
  std::vector<std::unique_ptr<Served>> wanted;
  wanted.push_back(served("a", second_));
  auto file = file_of(second_);
  file.device.value = std::string("cuda:99");
  file.forward.device = "cuda:99";
  wanted.push_back(std::make_unique<Served>(
      "c", composition_of(std::move(file)), ServedOptions(), metrics_));
  EXPECT_THROW(renew(models_, std::move(wanted)), Error);
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(models_.find("a").get(), before);
}

TEST(Fingerprint, IsOfValuesAndNotOfTheirPlaces) {
  fakes::Script script;
  const auto file = composition_of(file_of(script));
  auto moved = file;
  moved.steps[0].file.path = "elsewhere.yaml";
  moved.steps[0].file.batch.place = "elsewhere.yaml:7:1";
  EXPECT_EQ(fingerprint(file), fingerprint(moved));
  moved.steps[0].file.forward.settings["script"].value = std::int64_t{77};
  EXPECT_NE(fingerprint(file), fingerprint(moved));
}

}  // namespace
}  // namespace penstock::serve
