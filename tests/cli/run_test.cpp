// pipeline-run as people use it, on a tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// fp32, so that every way of running gives the same tokens.
const std::string kSame = " --set forward.dtype=fp32 ";

TEST(Json, HasTheDocumentedFields) {
  const Ran ran = run_tiny("--text Hello --json --set decode.max_new_tokens=5");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json line = Json::parse(ran.out);
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) keys.push_back(key);
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre(
                        "id", "text", "token_ids", "prompt_tokens",
                        "finish_reason", "dtype", "device", "timing"));
  EXPECT_EQ(line["id"], "0");
  EXPECT_EQ(line["token_ids"].size(), 5);
  EXPECT_EQ(line["finish_reason"], "length");
  for (const char* key :
       {"queue_ms", "prefill_ms", "decode_ms", "first_token_ms"}) {
    EXPECT_GE(line["timing"].at(key), 0) << key;
  }
  // <bos> counts.
  const Ran ids = run_tiny("--text Hello --until preprocess --json");
  EXPECT_EQ(Json::parse(ids.out)["input_ids"].size(), line["prompt_tokens"]);
  EXPECT_EQ(Json::parse(ids.out)["input_ids"][0], 2);
}

TEST(Jsonl, KeepsTheOrderAndGoesOnAfterBadLines) {
  const Ran ran = shell(
      R"(for i in $(seq 0 39); do
           if [ $i = 7 ]; then echo broken; continue; fi
           echo "{\"id\": \"n$i\", \"text\": \"line $i\", \"options\":
             {\"max_new_tokens\": $((1 + (i * 7) % 23))}}" | tr '\n' ' '
           echo
         done | $RUN $TINY --jsonl - --json --set decode.ignore_eos=true)");
  EXPECT_EQ(ran.code, 65);
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 40);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Json line = Json::parse(all[i]);
    if (i == 7) {
      EXPECT_EQ(line["id"], "7");
      EXPECT_EQ(line["finish_reason"], "error");
      EXPECT_EQ(line["error"]["code"], "data");
      EXPECT_THAT(line["error"]["message"].get<std::string>(),
                  HasSubstr("stdin, line 8"));
    } else {
      EXPECT_EQ(line["id"], "n" + std::to_string(i));
      EXPECT_EQ(line["token_ids"].size(), 1 + (i * 7) % 23);
    }
  }
}

TEST(Results, AreTheSameWhateverTheWay) {
  const std::string prompts =
      "--text 'a' --text 'the teacher said' --text 'I was' --json" + kSame;
  const auto texts = [](const Ran& ran) {
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::string all;
    for (const auto& line : lines(ran.out)) {
      all += Json::parse(line)["token_ids"].dump();
    }
    return all;
  };
  const std::string wanted = texts(run_tiny(prompts));
  for (const char* way :
       {"--threads 1", "--set batch.max_rows=1", "--set batch.chunk=3",
        "--set 'batch.max_rows=2' --threads 2"}) {
    EXPECT_EQ(texts(run_tiny(prompts + way)), wanted) << way;
  }
  const Ran padded = shell(
      "$RUN gemma_padded.yaml ${TINY#* } --set decode.max_new_tokens=64 " +
      prompts);
  EXPECT_EQ(texts(padded), wanted);
}

TEST(Seeds, GiveTheSameTextAloneAndInABatch) {
  const std::string sampled = " --json --set decode.temperature=0.9" + kSame;
  const auto last = [&](const std::string& arguments) {
    return Json::parse(
        lines(run_tiny(arguments + sampled).out).back())["token_ids"];
  };
  const auto alone = last("--text Hello --seed 5");
  EXPECT_EQ(last("--text a --text 'b c' --text Hello --seed 5"), alone);
  EXPECT_NE(last("--text Hello --seed 6"), alone);
}

TEST(Stdin, IsReadOnlyWhenAsked) {
  // A pipe that never closes must not hold the run up.
  EXPECT_EQ(shell("sleep 8 | timeout 6 $RUN $TINY --text a; "
                  "exit ${PIPESTATUS[1]}")
                .code,
            0);
  for (const char* how : {"-", "--stdin"}) {
    const Ran ran = shell(std::string("printf 'one\\ntwo\\n' | $RUN $TINY "
                                      "--json ") +
                          how);
    EXPECT_EQ(lines(ran.out).size(), 2) << ran.err;
  }
  EXPECT_EQ(shell("$RUN $TINY - < /dev/null").out, "");
}

TEST(Signals, EndTheRunAndKeepWhatIsFinished) {
  struct Case {
    const char* signal;
    int code;
  };
  for (const Case& c : {Case{"INT", 130}, Case{"TERM", 143}}) {
    const Ran ran =
        shell(std::string(
                  "$RUN $BAD --json --set forward.how=slow --text a --text b "
                  "--set decode.max_new_tokens=400 & pid=$!; sleep 2; kill -") +
              c.signal + " $pid; wait $pid");
    EXPECT_EQ(ran.code, c.code) << ran.err;
    const auto all = lines(ran.out);
    ASSERT_EQ(all.size(), 2) << ran.out << ran.err;
    for (const auto& line : all) {
      EXPECT_EQ(Json::parse(line)["finish_reason"], "cancelled");
      EXPECT_GT(Json::parse(line)["token_ids"].size(), 0);
    }
  }
}

TEST(Show, PrintsWhatEachStageMadeIn80Columns) {
  const Ran ran = shell(
      "$RUN gemma_padded.yaml ${TINY#* } --show --text Hi "
      "--text 'a longer prompt than that'");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* words :
       {"input_ids", "pieces", "<bos>", "attention_mask  i64[2, ",
        "logits  f32[2, ", ", 576]", "scores.ids", "postprocess"}) {
    EXPECT_THAT(ran.out, HasSubstr(words));
  }
  for (const auto& line : lines(ran.out.substr(0, ran.out.find("postproc")))) {
    EXPECT_LE(line.size(), 90) << line;  // U+2581 has three bytes
  }
}

TEST(Trace, IsJsonWithEveryStage) {
  const Ran ran = run_tiny("--text a --trace $T/trace.json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json trace = Json::parse(shell("cat $T/trace.json").out);
  std::set<std::string> names;
  for (const auto& event : trace["traceEvents"]) names.insert(event["name"]);
  for (const char* name : {"open", "preprocess", "plan", "collate", "forward",
                           "decode", "write", "thread_name"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(Summary, SaysWhereTheTimeWent) {
  const Ran ran = run_tiny("--text a --summary");
  EXPECT_THAT(ran.err, HasSubstr("forward"));
  EXPECT_THAT(ran.err, HasSubstr("batches closed: full"));
  EXPECT_EQ(run_tiny("--text a").err, "");  // no terminal, no summary
}

TEST(Explain, IsAPipelineThatRuns) {
  const Ran ran = shell(
      "$RUN $TINY --set decode.max_new_tokens=3 --explain > $T/explained.yaml "
      "&& $RUN $T/explained.yaml --text a --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out)["token_ids"].size(), 3);
}

TEST(Environment, StandsBetweenFileAndFlags) {
  const auto count = [](const std::string& line) {
    return Json::parse(shell(line + " --text a --json").out)["token_ids"]
        .size();
  };
  EXPECT_EQ(count("PENSTOCK_SET=decode.max_new_tokens=4 $RUN $TINY"), 4);
  EXPECT_EQ(count("PENSTOCK_SET=decode.max_new_tokens=4 $RUN $TINY --set "
                  "decode.max_new_tokens=6"),
            6);
  EXPECT_EQ(shell("PENSTOCK_DEVICE=cuda $RUN $TINY").code, 69);
}

TEST(Threads, StayWithinTheBudget) {
  const Ran ran = shell(
      "seq 3000 > $T/lines; $RUN $TINY --threads 2 --stdin < $T/lines > "
      "/dev/null & sleep 1; grep Threads /proc/$!/status; kill $!; wait");
  ASSERT_NE(ran.out, "") << ran.err;
  const int threads = std::stoi(ran.out.substr(ran.out.find('\t')));
  EXPECT_LE(threads, 2 + 8);
  EXPECT_GE(threads, 4);
}

TEST(Memory, DoesNotGrowWithTheNumberOfLines) {
  const auto peak = [](int count) {
    const Ran ran = shell(
        "seq " + std::to_string(count) +
        " | sed 's/.*/{\"text\": \"line &\", \"options\": "
        "{\"max_new_tokens\": 2}}/' | /usr/bin/env bash -c '$RUN $TINY "
        "--jsonl - --json > /dev/null & pid=$!; peak=0; while kill -0 $pid "
        "2>/dev/null; do now=$(grep VmHWM /proc/$pid/status | tr -dc 0-9); "
        "[ -n \"$now\" ] && peak=$now; sleep 0.05; done; echo $peak'");
    return std::stol(ran.out);
  };
  const long few = peak(300);
  EXPECT_LE(peak(3000), few + 16L * 1024);  // kB
}

TEST(Version, IsPrinted) {
  EXPECT_THAT(shell("$RUN --version").out, HasSubstr("pipeline-run 0.1"));
  const Ran help = shell("$RUN --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("exit codes"));
}

TEST(Terminal, SeesPromptAndSummary) {
  const Ran ran = shell(
      "script -qec \"$RUN $TINY --text Hello --set decode.max_new_tokens=3\" "
      "/dev/null < /dev/null");
  EXPECT_THAT(ran.out, HasSubstr("\033[1mHello\033[0m"));
  EXPECT_THAT(ran.out, HasSubstr("1 request, 3 tokens"));
  EXPECT_THAT(shell("script -qec \"$RUN $TINY --text Hello --quiet\" "
                    "/dev/null < /dev/null")
                  .out,
              ::testing::Not(HasSubstr("1 request")));
}

}  // namespace
}  // namespace penstock::cli
