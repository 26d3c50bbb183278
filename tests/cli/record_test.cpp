// What somebody said as a record: speech, then a model that fills in a schema.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using Json = nlohmann::json;

TEST(Record, OfEachRecordingFitsTheSchema) {
  const Ran ran = shell(
      "M=${PENSTOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/penstock}/media/"
      "pocketsphinx-testdata/librivox; "
      "$RUN voice_to_record.yaml --json --set record.decode.temperature=1.5 "
      "$M/*0870.wav $M/*0880.wav");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 2) << ran.out;
  const std::set<std::string> topics{"family", "money", "travel", "work",
                                     "other"};
  for (const std::string& line : all) {
    const Json part = Json::parse(line)["steps"]["record"][0];
    EXPECT_EQ(part["finish_reason"], "stop");
    const Json record = Json::parse(part["text"].get<std::string>());
    EXPECT_EQ(record.size(), 3) << record;
    EXPECT_TRUE(record["is_question"].is_boolean()) << record;
    EXPECT_TRUE(topics.contains(record["topic"].get<std::string>())) << record;
    const auto person = record["person"].get<std::string>();
    EXPECT_TRUE(person.size() >= 3 && person.size() <= 24) << record;
    EXPECT_TRUE(person[0] >= 'A' && person[0] <= 'Z') << record;
  }
}

TEST(Record, OfAKnownSentenceHasItsName) {
  const Ran ran = shell("$RUN voice_to_record.yaml");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find(R"({"person": "John Dashwood")"), std::string::npos)
      << ran.out;
}

}  // namespace
}  // namespace penstock::cli
