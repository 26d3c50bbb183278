// pipeline-run on files with `steps:`: what is printed, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

/// The tiny model goes on from its own answer; no line breaks, so that a text
/// is a line.
constexpr const char* kSteps = R"(version: 1
threads: 1
steps:
  first:
    pipeline: one.yaml
    set: &short
      decode.max_new_tokens: 3
      decode.ignore_eos: true
      decode.banned_ids: [12, 13, 14, 15, 31]
  second:
    pipeline: one.yaml
    in: {text: {each: first}}
    set: *short
)";

const std::string kSource = PENSTOCK_SOURCE_DIR "/";

class Steps : public ::testing::Test {
 protected:
  Steps() {
    const std::filesystem::path folder = damaged_folder();
    std::ofstream(folder / "steps.yaml") << kSteps;
    std::ostringstream text;
    text << std::ifstream(kSource + "pipelines/gemma_text.yaml").rdbuf();
    const std::string name = "model: gemma-3-270m";
    std::ofstream(folder / "one.yaml") << text.str().replace(
        text.str().find(name), name.size(),
        "model: " + kSource + "tests/fixtures/tiny/tiny.gguf");
  }
  static Ran run(const std::string& arguments) {
    return shell("$RUN $T/steps.yaml " + arguments);
  }
};

TEST_F(Steps, PrintTheirTextsUnderTheirNames) {
  const Ran ran = run("--text Hello");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 4) << ran.out;
  EXPECT_EQ(all[0], "first:");
  EXPECT_EQ(all[2], "second:");
}

TEST_F(Steps, AreInOneJsonLineARequest) {
  const Ran ran =
      run("--text Hello --text a --json --set second.decode.max_new_tokens=2");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 2);
  const Json line = Json::parse(all[0]);
  const Json& first = line["steps"]["first"];
  const Json& second = line["steps"]["second"];
  ASSERT_EQ(first.size(), 1);
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(first[0]["token_ids"].size(), 3);
  EXPECT_EQ(second[0]["token_ids"].size(), 2);
  EXPECT_EQ(line["text"], second[0]["text"]);
  EXPECT_FALSE(line.contains("timeline"));
  // The same as by hand.
  const std::string text = first[0]["text"];
  const Ran alone = shell(
      "$RUN $T/one.yaml --text '" + text +
      "' --json --set decode.max_new_tokens=2 --set decode.ignore_eos=true "
      "--set 'decode.banned_ids=[12,13,14,15,31]'");
  EXPECT_EQ(Json::parse(alone.out)["token_ids"], second[0]["token_ids"]);
}

TEST_F(Steps, TakeOptionsByTheirNames) {
  const Ran ran = shell(
      "printf '%s\n' '{\"text\": \"a\", \"options\": {\"second.n\": 2, "
      "\"second.temperature\": 1}}' "
      "'{\"text\": \"a\", \"options\": {\"n\": 2}}' | "
      "$RUN $T/steps.yaml --jsonl - --json");
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, HasSubstr("option 'n' names no step; the steps are "
                                 "first, second"));
  const Json line = Json::parse(lines(ran.out).at(0));
  EXPECT_EQ(line["steps"]["second"][0]["choices"].size(), 2);
}

TEST_F(Steps, AreCheckedAndExplained) {
  const Ran check = run("--check");
  EXPECT_EQ(check.code, 0);
  EXPECT_THAT(check.err, HasSubstr("second: ok; device cpu, weights "));
  const Ran explained = run("--explain");
  EXPECT_EQ(explained.code, 0);
  EXPECT_THAT(explained.out, HasSubstr("# step second\n"));
  EXPECT_THAT(explained.out, HasSubstr("steps.yaml:7:7"));
}

struct Wrong {
  std::string arguments;
  int code;
  std::string words;
};

TEST_F(Steps, AreRefusedWithTheReason) {
  for (const Wrong& c : std::vector<Wrong>{
           {"--text a --show", 2,
            "--show looks into one step; write --show STEP, the steps are "
            "first, second"},
           {"--text a --until decode", 2,
            "--until looks into one step; write --until STEP.decode"},
           {"--text a --show secnd", 2, "did you mean 'second'?"},
           {"--text a --until third.decode", 2, "there is no such step"},
           {"--text a --show first --until second.batch", 2,
            "are about two steps"},
           {"--text a --chat", 2, "exclude each other"},
           {"--text a --render $T/x", 2, "no step draws anything"},
           {"--text a --set decode.n=2", 65, "write STEP.decode.n"},
           {"--text a --set first.decode.m=2", 65,
            "--set first.decode.m: unknown param"},
           {"--text a --set first.model=$T/none.gguf", 66, "none.gguf"},
           {"", 2, "nothing to run"}}) {
    const Ran ran = run(c.arguments);
    EXPECT_EQ(ran.code, c.code) << c.arguments << "\n" << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(c.words)) << c.arguments;
    EXPECT_EQ(ran.out, "");
  }
}

/// How often `words` stand in a text.
std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != std::string::npos;
       at = text.find(words, at + 1)) {
    ++found;
  }
  return found;
}

TEST_F(Steps, AreLookedIntoByName) {
  const Ran first = run("--text Hello --show first");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(count(first.out, "input_ids 4: 2, 524, 401, 495"), 1) << first.out;
  EXPECT_EQ(count(first.out, "input_ids"), 1) << "the other is not shown";
  EXPECT_THAT(first.out, HasSubstr("logits  f32"));
  EXPECT_THAT(first.out, HasSubstr("second:\n"));
  const Ran second = run("--text Hello --show second");
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(count(second.out, "input_ids"), 1);
  EXPECT_EQ(count(second.out, "input_ids 4: 2, 524"), 0) << second.out;
}

TEST_F(Steps, RunUntilAStageOfOne) {
  const Ran text = run("--text Hello --until second.decode");
  ASSERT_EQ(text.code, 0) << text.err;
  ASSERT_EQ(lines(text.out).size(), 1) << text.out;
  EXPECT_EQ(count(text.out, " "), 2) << "three ids: " << text.out;
  const Ran batch = run("--text Hello --until second.batch --json");
  ASSERT_EQ(batch.code, 0) << batch.err;
  ASSERT_EQ(lines(batch.out).size(), 1) << batch.out;
  EXPECT_EQ(Json::parse(batch.out)["layout"], "packed");
  const Ran preprocess = run("--text Hello --until second.preprocess --json");
  ASSERT_EQ(preprocess.code, 0) << preprocess.err;
  EXPECT_EQ(Json::parse(preprocess.out)["input_ids"][0], 2);
  // What is not needed does not run: that model is not there.
  const Ran alone =
      run("--text Hello --until first.decode --set second.model=$T/none.gguf");
  EXPECT_EQ(alone.code, 0) << alone.err;
}

TEST_F(Steps, AreDumpedInAFolderEach) {
  const Ran ran = run("--text Hello --dump $T/of_steps");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::filesystem::path folder = damaged_folder() + "/of_steps";
  for (const char* step : {"first", "second"}) {
    std::ifstream in(folder / step / "0" / "dump.json");
    const Json dump = Json::parse(in);
    EXPECT_EQ(dump["report"]["token_ids"].size(), 3) << step;
    EXPECT_EQ(dump["pipeline"]["decode"]["params"]["max_new_tokens"], 3);
    EXPECT_TRUE(std::filesystem::exists(folder / step / "0" /
                                        "forward.0000.safetensors"));
  }
  std::filesystem::remove_all(folder);
}

TEST_F(Steps, AreTracedTogether) {
  const Ran ran = run("--text Hello --trace $T/steps.trace");
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::ifstream in(damaged_folder() + "/steps.trace");
  const Json trace = Json::parse(in);
  std::set<std::string> names;
  std::set<int> processes;
  for (const Json& event : trace["traceEvents"]) {
    processes.insert(event["pid"].get<int>());
    if (event["name"] != "process_name") continue;
    names.insert(event["args"]["name"].get<std::string>());
  }
  EXPECT_EQ(names, (std::set<std::string>{"first", "second"}));
  EXPECT_EQ(processes, (std::set<int>{1, 2}));
}

TEST_F(Steps, Chat) {
  const std::filesystem::path folder = damaged_folder();
  std::ofstream(folder / "chat_steps.yaml")
      << "version: 1\nsteps:\n  talk: {pipeline: gemma_chat.yaml}\n"
         "  more: {pipeline: one.yaml, in: {text: {each: talk}}}\n";
  const Ran ran = shell(
      "printf 'a\\nb\\n' | $RUN $T/chat_steps.yaml --chat --set talk.model=" +
      kSource +
      "tests/fixtures/tiny/tiny.gguf --set talk.decode.max_new_tokens=2 --set "
      "talk.decode.ignore_eos=true --set more.decode.max_new_tokens=2 --set "
      "more.decode.ignore_eos=true --set "
      "'more.decode.banned_ids=[12,13,14,15,31]' --set "
      "'talk.decode.banned_ids=[12,13,14,15,31]'");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(lines(ran.out).size(), 2) << ran.out;
}

TEST_F(Steps, EndAtCtrlC) {
  const Ran ran = shell(
      "$RUN $T/steps.yaml --text a --set second.decode.max_new_tokens=400 "
      "--set second.forward.cache=false --set second.batch.chunk=100000 "
      "> $T/said & pid=$!; until [ -s $T/said ]; do sleep 0.05; done; "
      "kill -INT $pid; wait $pid");
  EXPECT_EQ(ran.code, 130) << ran.err;
}

}  // namespace
}  // namespace penstock::cli
