// As many lines as requests, whatever a stage emits: on every path that results
// take, the one that cannot be written is told and the others stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Json = nlohmann::json;

struct Fault {
  std::string how;    ///< what trouble.print does with the second request
  std::string words;  ///< what is said of it
};
void PrintTo(const Fault& fault, std::ostream* os) { *os << fault.how; }

class Lines : public ::testing::TestWithParam<Fault> {
 protected:
  Lines() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Lines() override { fs::remove_all(folder_); }

  /// Three requests, of which the second meets the fault.
  [[nodiscard]] static std::string faulty(const std::string& stage) {
    return " --set " + stage + "how=" + GetParam().how + " --set " + stage +
           "on=zebra ";
  }
  static Ran run(const std::string& arguments) {
    return shell("$RUN $BAD --text a --text zebra --text c" +
                 faulty("postprocess.") + arguments);
  }
  static void expect_told(const Ran& ran) {
    EXPECT_EQ(ran.code, 70) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("request '1': " + GetParam().words));
    EXPECT_THAT(ran.err, HasSubstr("in stage 'postprocess' (trouble.print)"));
  }
  static void expect_lines(const std::string& text) {
    const auto all = lines(text);
    ASSERT_EQ(all.size(), 3) << text;
    for (std::size_t i = 0; i < 3; ++i) {
      const Json line = Json::parse(all[i]);
      EXPECT_EQ(line["id"], std::to_string(i));
      EXPECT_EQ(line.contains("error"), i == 1) << all[i];
    }
    EXPECT_THAT(Json::parse(all[1])["error"]["message"].get<std::string>(),
                HasSubstr(GetParam().words));
  }
  static std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  const fs::path folder_ = fs::path(damaged_folder()) / "lines";
  const std::string at_ = folder_.string();
};

TEST_P(Lines, OfText) {
  const Ran ran = run("");
  expect_told(ran);
  EXPECT_EQ(lines(ran.out), (std::vector<std::string>{"1111", "1111"}));
}

TEST_P(Lines, OfJson) {
  const Ran ran = run("--json");
  expect_told(ran);
  expect_lines(ran.out);
}

TEST_P(Lines, OfAFileThatIsResumed) {
  expect_told(run("--output " + at_ + "/out.jsonl"));
  expect_lines(read(folder_ / "out.jsonl"));
  const Ran again = run("--resume --output " + at_ + "/out.jsonl");
  EXPECT_EQ(again.code, 0) << again.err;
  expect_lines(read(folder_ / "out.jsonl"));
}

TEST_P(Lines, OfADump) {
  expect_told(run("--dump " + at_ + "/dump"));
  for (const std::string id : {"0", "1", "2"}) {
    const Json dump = Json::parse(read(folder_ / "dump" / id / "dump.json"));
    EXPECT_EQ(dump["report"].contains("error"), id == "1") << dump;
  }
}

TEST_P(Lines, WithDrawings) {
  const Ran ran = run("--json --render " + at_ + "/drawn");
  expect_told(ran);
  expect_lines(ran.out);
}

TEST_P(Lines, OfAComposition) {
  std::ofstream(folder_ / "steps.yaml")
      << "version: 1\nsteps:\n  one: {pipeline: trouble.yaml}\n"
         "  two: {pipeline: trouble.yaml, in: {text: {each: one}}}\n";
  const std::string steps = "cp ${BAD%% *} " + at_ + "/; $RUN ${BAD#* } " +
                            at_ + "/steps.yaml --text a --text zebra --text c" +
                            faulty("one.postprocess.");
  const Ran json = shell(steps + "--json");
  expect_told(json);
  expect_lines(json.out);
  const Ran text = shell(steps);
  expect_told(text);
  EXPECT_THAT(text.err, HasSubstr("in step 'one'"));
  const std::vector<std::string> each{"one:", "1111", "two:", "1111"};
  std::vector<std::string> both = each;
  both.insert(both.end(), each.begin(), each.end());
  EXPECT_EQ(lines(text.out), both);
}

/// Runs a conversation with the stages of $BAD.
Ran talk(const std::string& said, const std::string& arguments) {
  return shell(
      "sed s/trouble.words/trouble.talk/ ${BAD%% *} > $T/talk.yaml; "
      "printf '" +
      said + "' | $RUN $T/talk.yaml ${BAD#* } --chat " + arguments);
}

TEST_P(Lines, OfAChat) {
  const Ran ran = talk("a\\nzebra\\nc\\n", faulty("postprocess."));
  EXPECT_EQ(ran.code, 70) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().words));
  EXPECT_EQ(lines(ran.out), (std::vector<std::string>{"1111", "", "1111"}));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Lines,
    ::testing::ValuesIn<Fault>(
        {{"array", "emitted JSON that is an array; expected an object"},
         {"no_json", "emitted what is no JSON"},
         {"branch", "emitted a piece of branch 77"},
         {"no_writer", "begin() gave no Writer"},
         {"throw", "out of ink"}}),
    [](const auto& test) { return test.param.how; });

TEST(JsonAlone, IsPrintedWhereThereIsNoText) {
  const Ran text =
      shell("$RUN $BAD --text a --text b --set postprocess.how=json");
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.out, "{\"n\":[1,1,1,1]}\n{\"n\":[1,1,1,1]}\n");
  const Ran chat = talk("a\\n", "--set postprocess.how=json");
  EXPECT_EQ(chat.out, "{\"n\":[1,1,1,1]}\n") << chat.err;
}

}  // namespace
}  // namespace penstock::cli
