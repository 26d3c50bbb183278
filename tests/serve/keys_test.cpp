// Keys: who may come in, and how often.
#include "pipeline_serve/serving/keys.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "penstock/error.h"

namespace penstock::serve {
namespace {

class KeyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("keys-" + std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_) << text; }
  int refused(const std::string& authorization) {
    try {
      (void)keys_.client_of(authorization);
    } catch (const HttpError& error) {
      return error.status;
    }
    return 0;
  }
  std::filesystem::path path_;
  Keys keys_;
};

TEST_F(KeyFile, NamesClients) {
  // printf test | sha256sum
  write(
      "# of two\nsecret name=app\n\nsha256:"
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n");
  keys_.read(path_);
  EXPECT_EQ(keys_.client_of("Bearer secret"), "app");
  EXPECT_EQ(keys_.client_of("Bearer test"), "key 4");
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer secre",
                            "Bearer secretx", "Basic secret", "secret"}) {
    EXPECT_EQ(refused(wrong), 401) << wrong;
  }
}

TEST_F(KeyFile, WithFaultsIsRefusedByItsLine) {
  for (const char* text :
       {"a\nb colour=red\n", "a\nsha256:12\n", "a\nb concurrency=-1\n",
        "a\nb weight=0\n", "a\nb weight=101\n", "a\nb weight=nan\n",
        "a\nb weight=\n", "a\nb weight=1x\n", "a\nb priority=1.5\n",
        "a\nb priority=1001\n"}) {
    write(text);
    try {
      keys_.read(path_);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(":2"), std::string::npos)
          << error.what();
    }
  }
  write("# nobody\n");
  EXPECT_THROW(keys_.read(path_), Error);
  EXPECT_THROW(keys_.read(path_.string() + ".not"), Error);
  EXPECT_TRUE(keys_.is_empty());
}

TEST_F(KeyFile, SaysHowClientsStandToEachOther) {
  write("a name=a weight=2.5 priority=-3\nb name=b\n");
  keys_.read(path_);
  EXPECT_EQ(keys_.terms_of("a").weight, 2.5);
  EXPECT_EQ(keys_.terms_of("a").priority, -3);
  EXPECT_EQ(keys_.terms_of("b").weight, 1);
  EXPECT_EQ(keys_.terms_of("b").priority, 0);
  EXPECT_FALSE(keys_.terms_of("").priority) << "without keys, any";
}

TEST_F(KeyFile, BoundsWhatRunsAtOnce) {
  write("a name=a concurrency=2\n");
  keys_.read(path_);
  const auto one = keys_.take_place("a");
  auto two = keys_.take_place("a");
  EXPECT_THROW((void)keys_.take_place("a"), HttpError);
  two.reset();
  EXPECT_NO_THROW((void)keys_.take_place("a"));
  EXPECT_NO_THROW((void)keys_.take_place("somebody else"));
}

TEST_F(KeyFile, BoundsRequestsOfAMinute) {
  write("a name=a requests_per_minute=3\n");
  keys_.read(path_);
  for (int i = 0; i < 3; ++i) (void)keys_.take_place("a");
  try {
    (void)keys_.take_place("a");
    ADD_FAILURE();
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status, 429);
    EXPECT_GE(std::atoi(std::string(error.fields.get("retry-after")).c_str()),
              1);
  }
}

}  // namespace
}  // namespace penstock::serve
