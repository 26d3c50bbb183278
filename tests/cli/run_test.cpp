// pipeline-run as people use it, on a tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

/// fp32, so that every way of running gives the same tokens.
const std::string kSame = " --set forward.dtype=fp32 ";

TEST(Json, HasTheDocumentedFields) {
  const Ran ran = run_tiny("--text Hello --json --set decode.max_new_tokens=5");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json line = Json::parse(ran.out);
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) keys.push_back(key);
  EXPECT_THAT(keys,
              ::testing::UnorderedElementsAre(
                  "id", "text", "token_ids", "prompt_tokens", "finish_reason",
                  "dtype", "device", "device_why", "timing"));
  // The tests' machines have no GPU, or a build that cannot use it.
  EXPECT_EQ(line["device"], "cpu");
  EXPECT_NE(line["device_why"], "");
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

/// As a template sees them, and as a dump tells them.
TEST(Jsonl, KeepsTheOrderOfMembers) {
  const Ran ran = shell(
      R"(D=$(mktemp -d); trap 'rm -r $D' EXIT
         printf '{{ tools | tojson }}{%% for k in tools[0] %%}{{ k }}' > $D/t
         printf '{%% endfor %%}{{ messages[0] }}' >> $D/t
         echo '{"messages": [{"role": "user", "content": "a", "b": {"d": 1,
           "c": 2}}], "tools": [{"z": {"n": 1, "d": 2}, "y": 4}]}' |
           tr -d '\n' | $RUN $TINY --set preprocess.chat_template=$D/t \
           --jsonl - --until preprocess --json --dump $D/dump > /dev/null
         cat $D/dump/*/*.json)");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto dump = nlohmann::ordered_json::parse(ran.out);
  EXPECT_EQ(dump["request"]["inputs"]["tools"].dump(),
            R"([{"z":{"n":1,"d":2},"y":4}])");
  std::string text;
  for (const auto& piece : dump["made"][0]["notes"]["pieces"]) {
    text += piece.get<std::string>();
  }
  // The tiny vocabulary has no braces.
  EXPECT_EQ(text, R"([<0x7B>"z":▁<0x7B>"n":▁1,▁"d":▁2<0x7D>,)"
                  R"(▁"y":▁4<0x7D>]zy<0x7B>'role':▁'user',)"
                  R"(▁'content':▁'a',▁'b':▁<0x7B>'d':▁1,)"
                  R"(▁'c':▁2<0x7D><0x7D>)");
}

TEST(Errors, KeepTheControlsOfANameFromTheTerminal) {
  for (const std::string more : {"", "--until preprocess", "--show"}) {
    const Ran ran = shell(
        R"(printf '{"id": "a\\u001b[31m\\u0007b", "text": %s}\n' 5 '"x"' | $RUN )"
        "$TINY --set decode.max_new_tokens=2 --jsonl - " +
        more);
    EXPECT_THAT(ran.err, HasSubstr("'a\uFFFD[31m\uFFFDb'")) << more;
    for (const char control : {'\x1B', '\a'}) {
      EXPECT_EQ((ran.err + ran.out).find(control), std::string::npos) << more;
    }
  }
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
       {"--threads 1", "--set batch.max_sequences=1", "--set batch.chunk=3",
        "--set 'batch.max_sequences=2' --threads 2"}) {
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

/// Seconds that a signal needs, sent after a second, to end a command.
double seconds_to_end(const std::string& command, int code) {
  const Ran ran = shell(command +
                        " > /dev/null & pid=$!; sleep 1; start=$(date +%s%N); "
                        "kill -INT $pid; wait $pid; code=$?; "
                        "echo $(( ($(date +%s%N) - start) / 1000000 )); "
                        "exit $code");
  EXPECT_EQ(ran.code, code) << ran.err;
  return std::stod(ran.out) / 1000;
}

// Twenty seconds of work, or of waiting, lie ahead of each.
TEST(Signals, EndARunThatHasMoreQueuedThanItTakesAtOnce) {
  EXPECT_LT(seconds_to_end("$RUN $BAD --set forward.how=slow --set "
                           "decode.max_new_tokens=400 --stdin < <(seq 200)",
                           130),
            5);
}

TEST(Signals, EndTheWaitForTheNextLine) {
  EXPECT_LT(seconds_to_end("$RUN $BAD --stdin < <(echo a; sleep 20)", 130), 5);
}

TEST(Signals, EndAtOnceWhenTheyComeTwice) {
  // Nobody reads what it wants to print: one signal is not enough.
  const Ran ran = shell(
      "mkfifo $T/pipe; sleep 20 < $T/pipe & reader=$!; "
      "yes '{\"text\": \"a\"}' | head -3000 | $RUN $BAD --jsonl - --json > "
      "$T/pipe & pid=$!; sleep 2; kill -INT $pid; sleep 0.5; kill -INT $pid; "
      "wait $pid; code=$?; kill $reader; exit $code");
  EXPECT_EQ(ran.code, 130);
}

TEST(Output, MayBeNonBlocking) {
  // As when another program shares the terminal or the pipe.
  const Ran ran = shell(
      "yes '{\"text\": \"a\"}' | head -3000 | python3 -c 'import fcntl, os; "
      "fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK); "
      "os.execvp(\"bash\", [\"bash\", \"-c\", \"exec $RUN $BAD --jsonl - "
      "--json\"])' | (sleep 2; wc -l)");
  EXPECT_EQ(ran.out, "3000\n") << ran.err;
}

TEST(Output, HasNoLineForWhatFailedBeforeItsFirstWord) {
  const Ran ran = shell(
      "printf 'a\\n\\377\\nb\\n' | $RUN $TINY - --set "
      "decode.max_new_tokens=2");
  EXPECT_EQ(ran.code, 65);
  EXPECT_EQ(lines(ran.out).size(), 2) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("request '1'"));
}

TEST(Json, IsValidForAnyBytes) {
  const Ran ran = shell("$RUN $BAD --json --set postprocess.how=bytes");
  EXPECT_THAT(Json::parse(ran.out)["text"].get<std::string>(),
              HasSubstr("\uFFFD"));
}

TEST(Jsonl, KeepsErrorsShort) {
  const Ran ran = shell(
      "printf '{\"text\": \"%s' $(head -c 100000 /dev/zero | tr '\\0' a) | "
      "$RUN $TINY --jsonl - --json");
  EXPECT_EQ(ran.code, 65);
  EXPECT_LT(ran.out.size() + ran.err.size(), 1500);
}

TEST(Jsonl, OptionsAreOfTheirLine) {
  const Ran ran = shell(
      "printf '%s\\n' '{\"text\": \"a\", \"options\": {\"max_new_tokens\": "
      "2}}' "
      "'{\"text\": \"a\"}' '{\"text\": \"a\", \"options\": {\"temperature\": "
      "2, "
      "\"seed\": 3}}' | $RUN $TINY --jsonl - --json --set "
      "decode.max_new_tokens=6" +
      kSame);
  ASSERT_EQ(lines(ran.out).size(), 3) << ran.err;
  const Json two = Json::parse(lines(ran.out)[0])["token_ids"];
  const Json six = Json::parse(lines(ran.out)[1])["token_ids"];
  const Json hot = Json::parse(lines(ran.out)[2])["token_ids"];
  EXPECT_EQ(two.size(), 2);
  EXPECT_EQ(six.size(), 6);
  EXPECT_EQ(six[0], two[0]);
  EXPECT_NE(six, hot);
}

TEST(Sampling, GivesChoicesAndLogprobsInOpenAisShape) {
  const Ran ran = shell(
      "echo '{\"text\": \"a\", \"options\": {\"n\": 2, \"temperature\": 1, "
      "\"logprobs\": 2, \"logit_bias\": {\"5\": -50}, \"stop\": [\"zzz\"], "
      "\"max_new_tokens\": 3, \"ignore_eos\": true}}' | $RUN $TINY --jsonl - "
      "--json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json line = Json::parse(ran.out);
  ASSERT_EQ(line["choices"].size(), 2);
  for (const std::size_t i : {0U, 1U}) {
    const Json& choice = line["choices"][i];
    EXPECT_EQ(choice["index"], i);
    EXPECT_EQ(choice["finish_reason"], "length");
    EXPECT_EQ(choice["token_ids"].size(), 3);
    const Json& content = choice["logprobs"]["content"];
    ASSERT_EQ(content.size(), 3);
    EXPECT_EQ(content[0]["top_logprobs"].size(), 2);
    EXPECT_LE(content[0]["logprob"], 0);
  }
  EXPECT_EQ(line["text"], line["choices"][0]["text"]);
  EXPECT_EQ(line["token_ids"], line["choices"][0]["token_ids"]);
  const Ran text = run_tiny(
      "--text a --set decode.n=2 --set decode.temperature=1 --set "
      "decode.max_new_tokens=3");
  EXPECT_THAT(text.out, HasSubstr("\n--- answer 2\n"));
}

// The tokens with a line break are banned, so that an answer is a line.
const std::string kChat =
    "$RUN gemma_chat.yaml ${TINY#* } "
    "--set 'decode.banned_ids=[12,13,14,15,31]' ";

TEST(Replicas, AreDrawn) {
  const Ran ran = shell(
      "sed 's/dtype: auto}/device: [cpu, \"cuda:1\"]}/' " PENSTOCK_SOURCE_DIR
      "/pipelines/gemma_text.yaml > $T/two.yaml && " PENSTOCK_BIN
      "/pipeline-inspect --graph $T/two.yaml");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("a replica on each of cpu, cuda:1"));
}

TEST(Replicas, GiveTheAnswersOfOneForward) {
  const std::string work =
      kSame + "--json --text Hi --text Hello --text 'the quick' --text a ";
  const Ran one = run_tiny(work);
  const Ran three = run_tiny(work + "--set 'forward.device=[cpu, cpu, cpu]'");
  ASSERT_EQ(three.code, 0) << three.err;
  const auto answers = [](const Ran& ran) {
    std::vector<std::pair<Json, Json>> all;
    for (const std::string& line : lines(ran.out)) {
      const Json json = Json::parse(line);
      all.emplace_back(json["id"], json["token_ids"]);
    }
    return all;
  };
  EXPECT_EQ(answers(three), answers(one));
  EXPECT_EQ(answers(three).size(), 4);
  const Json first = Json::parse(lines(three.out).front());
  EXPECT_EQ(first["device"], "cpu, cpu, cpu");
  EXPECT_FALSE(first.contains("device_why"));
}

TEST(Chat, TakesMessagesFromJsonLines) {
  const Ran ran = shell(
      "printf '%s\n' '{\"messages\": [{\"role\": \"user\", \"content\": "
      "\"Hi\"}]}' '{\"text\": \"Hi\"}' '{\"messages\": []}' | " +
      kChat + "--jsonl - --json --until preprocess");
  EXPECT_EQ(ran.code, 65);
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 2) << ran.err;
  EXPECT_EQ(Json::parse(all[0])["input_ids"], Json::parse(all[1])["input_ids"]);
  EXPECT_THAT(ran.err, HasSubstr("messages: is empty"));
}

TEST(Chat, AnswersLinesAndForgetsWhenAsked) {
  const std::string ask = " | " + kChat +
                          "--chat --set decode.max_new_tokens=5 --set "
                          "decode.temperature=0 --set decode.ignore_eos=true";
  const Ran twice = shell("printf 'the teacher\n/reset\nthe teacher\n'" + ask);
  ASSERT_EQ(twice.code, 0) << twice.err;
  const auto same = lines(twice.out);
  ASSERT_EQ(same.size(), 2) << twice.out;
  EXPECT_EQ(same[0], same[1]);
  // Without /reset the second answer has read the first.
  const auto other =
      lines(shell("printf 'the teacher\nthe teacher\n'" + ask).out);
  ASSERT_EQ(other.size(), 2);
  EXPECT_EQ(other[0], same[0]);
  EXPECT_NE(other[1], same[0]);
  EXPECT_EQ(lines(shell("printf 'a\n/exit\nb\n'" + ask).out).size(), 1);
}

TEST(Chat, GoesOnAfterALineThatFails) {
  const Ran ran = shell("(printf '7%.0s' $(seq 600); printf '\nhello\n') | " +
                        kChat + "--chat --set decode.max_new_tokens=3");
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, HasSubstr("the most is 511"));
  EXPECT_EQ(lines(ran.out).size(), 2) << ran.out;
}

TEST(Chat, SurvivesCtrlC) {
  // Slow, so that the signal meets an answer.
  const Ran ran = shell(
      "mkfifo $T/in; " + kChat +
      "--chat --set forward.cache=false --set batch.chunk=1048576 --set "
      "batch.max_step_tokens=1048576 --set decode.max_new_tokens=400 --set "
      "decode.ignore_eos=true --set 'decode.stop_ids=[]' < $T/in > $T/said & "
      "pid=$!; exec 3> $T/in; echo a >&3; "
      "until [ -s $T/said ]; do sleep 0.05; done; kill -INT $pid; "
      "until [ $(wc -l < $T/said) = 1 ]; do sleep 0.05; done; echo b >&3; "
      "until [ $(tail -n +2 $T/said | wc -c) -gt 0 ]; do sleep 0.05; done; "
      "kill -INT $pid; exec 3>&-; wait $pid; code=$?; wc -l < $T/said; "
      "exit $code");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "2\n");
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

/// Two stages before the model, the second given what the first made.
TEST(Text, ThatAStageMadeIsWhatTheModelSees) {
  const std::string tidy =
      "$RUN $T/tidy.yaml ${TINY#* } ${BAD#* } --text '<b>Hello</b>' ";
  const Ran ran = shell(tidy);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, run_tiny("--text Hello").out);
  EXPECT_THAT(shell(tidy + "--show").out, HasSubstr("<bos>, H, ell, o"));
}

TEST(Show, KeepsLineBreaksOfThePromptOutOfTheTable) {
  EXPECT_THAT(run_tiny("--show --text $'a\\nb'").out,
              HasSubstr("<bos>, a, \\n, b"));
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
  // Anonymous memory alone: how much of the libraries' files is mapped depends
  // on what the machine has cached. The input stays open for a while: a short
  // run ends between two looks.
  const auto peak = [](int count) {
    const Ran ran = shell(
        "(seq " + std::to_string(count) +
        "; sleep 1) | sed -u 's/.*/{\"text\": \"line &\", \"options\": "
        "{\"max_new_tokens\": 2}}/' | /usr/bin/env bash -c '$RUN $TINY "
        "--jsonl - --json > /dev/null & pid=$!; peak=0; while kill -0 $pid "
        "2>/dev/null; do now=$(grep RssAnon /proc/$pid/status | tr -dc 0-9); "
        "[ ${now:-0} -gt $peak ] && peak=$now; sleep 0.05; done; echo $peak'");
    return std::stol(ran.out);
  };
  // The first ones fill what is kept for all: queues, every thread's heap.
  const long few = peak(1500);
  EXPECT_GT(few, 1024);  // kB
  EXPECT_LE(peak(6000), few + 16L * 1024);
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

TEST(Terminal, GetsNoControlCharactersAndNoUnwantedBold) {
  const std::string run =
      "script -qec \"$RUN $BAD --text $'\\\\033]0;title' --text b\" /dev/null "
      "< "
      "/dev/null";
  EXPECT_THAT(shell(run).out, ::testing::Not(HasSubstr("\033]0;")));
  EXPECT_THAT(shell("NO_COLOR=1 " + run).out,
              ::testing::Not(HasSubstr("\033")));
  EXPECT_THAT(shell("TERM=dumb " + run).out, ::testing::Not(HasSubstr("\033")));
}

TEST(Terminal, ReadsFailuresOnTheirOwnLine) {
  EXPECT_THAT(shell("script -qec \"$RUN $BAD --text Hello --set "
                    "preprocess.how=throw\" /dev/null < /dev/null")
                  .out,
              HasSubstr("\npipeline-run: request '0': words went missing"));
}

}  // namespace
}  // namespace penstock::cli
