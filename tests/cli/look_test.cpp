// Looking inside: --until prints what a stage made, --dump keeps it all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "penstock/weights.h"
#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

std::vector<Json> json_lines(const Ran& ran) {
  EXPECT_EQ(ran.code, 0) << ran.err;
  std::vector<Json> all;
  std::istringstream in(ran.out);
  for (std::string line; std::getline(in, line);) {
    all.push_back(Json::parse(line));
  }
  return all;
}

// Both in one step, however slow the machine is.
const std::string kTwo =
    "--text Hello --text a --set batch.max_wait_ms=60000 --set "
    "forward.dtype=fp32 --set decode.max_new_tokens=3 --set "
    "decode.ignore_eos=true ";

struct Case {
  std::string stage;
  std::vector<std::string> shown;  ///< as text
  std::vector<std::string> hidden;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.stage; }

class Until : public ::testing::TestWithParam<Case> {};

TEST_P(Until, PrintsWhatTheStageMadeAndNoOther) {
  const Case& c = GetParam();
  const Ran ran = run_tiny(kTwo + "--until " + c.stage);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  for (const std::string& words : c.shown) {
    EXPECT_THAT(ran.out, HasSubstr(words));
  }
  for (const std::string& words : c.hidden) {
    EXPECT_THAT(ran.out, Not(HasSubstr(words)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Until,
    ::testing::ValuesIn<Case>(
        {{.stage = "preprocess",
          .shown = {"input_ids 4: 2, 524, 401, 495", "<bos>, H, ell, o"},
          .hidden = {"step", "scores"}},
         {.stage = "batch",
          .shown = {"step 0  batch: 2 rows, packed", "'0' tokens 0..4",
                    "tokens  i64[6]"},
          .hidden = {"step 1", "preprocess", "scores"}},
         {.stage = "forward",
          .shown = {"scores.ids (best first)  i64[2, 1]", "[0] 341"},
          .hidden = {"step 1", "preprocess", "tokens  i64"}},
         {.stage = "decode",
          .shown = {"341 315 39\n"},
          .hidden = {"preprocess", "step", "scores", "Hello"}},
         {.stage = "postprocess",
          .shown = {"veom"},
          .hidden = {"preprocess", "step", "scores", "341"}}}),
    [](const auto& test) { return test.param.stage; });

TEST(UntilJson, PreprocessGivesIds) {
  const auto all = json_lines(run_tiny(kTwo + "--until preprocess --json"));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0], Json::parse(R"({"id":"0","input_ids":[2,524,401,495]})"));
}

TEST(UntilJson, BatchGivesEachStepOfThePrompts) {
  const auto all =
      json_lines(run_tiny(kTwo + "--until batch --json --set batch.chunk=3"));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0]["step"], 0);
  EXPECT_EQ(all[0]["layout"], "packed");
  EXPECT_EQ(all[0]["rows"][0], Json::parse(R"({"id":"0","sample":0,"branch":0,
      "begin":0,"count":3})"));
  EXPECT_EQ(all[1]["rows"][0]["begin"], 3);
  EXPECT_EQ(all[1]["inputs"]["tokens"]["values"], Json({495}));
  EXPECT_FALSE(all[1].contains("outputs"));
}

TEST(UntilJson, ForwardGivesScores) {
  const auto all = json_lines(run_tiny(kTwo + "--until forward --json"));
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0]["rows"][1]["out"], 1);
  EXPECT_EQ(all[0]["rows"][1]["outs"], 1);
  EXPECT_EQ(all[0]["outputs"]["scores.ids"]["values"][0], Json({341}));
  EXPECT_EQ(all[0]["outputs"]["scores.values"]["dtype"], "f32");
}

TEST(UntilJson, DecodeGivesIdsAndTensorsButNoText) {
  const auto all = json_lines(run_tiny(kTwo + "--until decode --json --set "
                                              "decode.logprobs=1"));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0]["token_ids"], Json({341, 315, 39}));
  EXPECT_EQ(all[0]["finish_reason"], "length");
  EXPECT_FALSE(all[0].contains("text"));
  ASSERT_EQ(all[0]["tensors"].size(), 3);
  EXPECT_EQ(all[0]["tensors"][1]["logprobs.ids"]["shape"], Json({1, 2}));
}

TEST(UntilJson, PaddedBatchesShowTheirMask) {
  const auto all = json_lines(
      shell("$RUN gemma_padded.yaml ${TINY#* } --text Hello --text a "
            "--until batch --json"));
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0]["inputs"]["attention_mask"]["values"],
            Json::parse("[[1,1,1,1],[0,0,1,1]]"));
}

TEST(UntilShow, ShowsEveryStageUpToIt) {
  const Ran forward = run_tiny(kTwo + "--until forward --show");
  for (const char* words : {"input_ids", "batch: 2 rows", "logits  f32"}) {
    EXPECT_THAT(forward.out, HasSubstr(words));
  }
  EXPECT_THAT(forward.out, Not(HasSubstr("postprocess")));
  const Ran decode = run_tiny(kTwo + "--until decode --show");
  EXPECT_THAT(decode.out, HasSubstr("decode  request '0'\n341 315 39\n"));
}

TEST(Until, FailuresKeepTheirCodeAndPlace) {
  const Ran ran = shell("$RUN $BAD --until forward --set forward.how=throw");
  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.err, HasSubstr("in stage 'forward' (trouble.model)"));
  EXPECT_EQ(ran.out, "");
}

TEST(Score, TakesContinuationsFromJsonLines) {
  const auto all = json_lines(
      shell("printf '%s\\n' '{\"text\": \"Hello\", \"continuation\": "
            "\"ve\"}' '{\"text\": \"Hello\"}' | $RUN score.yaml ${TINY#* } "
            "--jsonl - --json"));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0]["token_count"], 1);
  EXPECT_EQ(all[0]["tokens"][0]["token"], "ve");
  EXPECT_EQ(all[0]["is_greedy"], true);
  EXPECT_EQ(all[0]["logprob"], all[0]["tokens"][0]["logprob"]);
  EXPECT_EQ(all[1]["token_count"], 3);  // H, ell, o after <bos>
  EXPECT_GT(all[1]["perplexity"], 1);
}

TEST(Score, StandsBelowItsTextOnATerminal) {
  const Ran ran = shell(
      "NO_COLOR=1 script -qec \"$RUN score.yaml ${TINY#* } --text Hello\" "
      "/dev/null < /dev/null");
  EXPECT_THAT(ran.out, HasSubstr("Hello\r\nlogprob -"));
}

/// A dump in a folder of its own, removed at the end.
class Dump : public ::testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] Json json(const std::string& request) const {
    std::ifstream in(folder_ / request / "dump.json");
    return Json::parse(in);
  }
  [[nodiscard]] std::string at() const {
    return " --dump " + folder_.string() + " ";
  }
  /// The entries of a stage.
  static std::vector<Json> made(const Json& dump, const std::string& stage) {
    std::vector<Json> out;
    for (const Json& entry : dump["made"]) {
      if (entry["stage"] == stage) out.push_back(entry);
    }
    return out;
  }
  /// Integers of a tensor, read as the format says.
  [[nodiscard]] std::vector<std::int64_t> ids(const std::string& file,
                                              const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(folder_ / file, std::ios::binary).rdbuf();
    const std::string all = bytes.str();
    std::uint64_t size = 0;
    std::memcpy(&size, all.data(), sizeof size);
    const Json header = Json::parse(all.substr(sizeof size, size));
    const Json& tensor = header.at(name);
    EXPECT_EQ(tensor["dtype"], "I64");
    const std::size_t begin = tensor["data_offsets"][0];
    const std::size_t end = tensor["data_offsets"][1];
    std::vector<std::int64_t> out((end - begin) / sizeof(std::int64_t));
    std::memcpy(out.data(), all.data() + sizeof size + size + begin,
                end - begin);
    return out;
  }

  fs::path folder_ = fs::path(damaged_folder()) / "dumped";
};

TEST_F(Dump, KeepsWhatEveryStageMade) {
  const Ran ran = run_tiny(kTwo + at());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("veom"));  // results are printed as ever
  const Json dump = json("0");
  EXPECT_EQ(dump["id"], "0");
  EXPECT_EQ(dump["request"]["inputs"]["text"], "Hello");
  EXPECT_EQ(dump["pipeline"]["decode"]["params"]["max_new_tokens"], 3);
  const auto preprocess = made(dump, "preprocess");
  ASSERT_EQ(preprocess.size(), 1);
  EXPECT_EQ(preprocess[0]["tokens"], Json({2, 524, 401, 495}));
  EXPECT_EQ(preprocess[0]["notes"]["pieces"], Json({"<bos>", "H", "ell", "o"}));
  EXPECT_EQ(ids("0/preprocess.0000.safetensors", "tokens"),
            (std::vector<std::int64_t>{2, 524, 401, 495}));
  const auto batch = made(dump, "batch");
  ASSERT_EQ(batch.size(), 3);
  EXPECT_EQ(batch[1]["begin"], 4);
  // Its own tokens of those that were packed together.
  EXPECT_EQ(ids("0/batch.0001.safetensors", "tokens"),
            std::vector<std::int64_t>{341});
  const auto forward = made(dump, "forward");
  ASSERT_EQ(forward.size(), 3);
  EXPECT_EQ(forward[2]["file"], "forward.0002.safetensors");
  EXPECT_EQ(forward[2]["tensors"]["scores.values"]["shape"], Json({1, 1}));
  EXPECT_EQ(ids("0/forward.0002.safetensors", "scores.ids"),
            std::vector<std::int64_t>{39});
  const auto scores = WeightFile::open(folder_ / "0/forward.0002.safetensors");
  EXPECT_EQ(scores.at("scores.values").shape,
            (std::vector<std::int64_t>{1, 1}));
  const auto decode = made(dump, "decode");
  ASSERT_EQ(decode.size(), 3);
  EXPECT_EQ(decode[2]["tokens"], Json({39}));
  EXPECT_EQ(decode[2]["finish"], "length");
  std::string text;
  for (const Json& entry : made(dump, "postprocess")) text += entry["value"];
  EXPECT_EQ(text, "veom\x12");
  EXPECT_EQ(dump["report"]["token_ids"], Json({341, 315, 39}));
}

TEST_F(Dump, EndsWithTheStageThatUntilNames) {
  ASSERT_EQ(run_tiny(kTwo + at() + "--until batch").code, 0);
  EXPECT_EQ(made(json("1"), "batch").size(), 1);
  EXPECT_EQ(made(json("1"), "forward").size(), 0);
  EXPECT_EQ(made(json("1"), "decode").size(), 0);
  fs::remove_all(folder_);
  ASSERT_EQ(run_tiny(kTwo + at() + "--until preprocess").code, 0);
  EXPECT_EQ(json("1")["made"].size(), 1);
}

TEST_F(Dump, IdsBecomeFoldersThatStayInside) {
  const Ran ran = shell(
      "printf '%s\\n' '{\"id\": \"../up\", \"text\": \"a\"}' '{\"id\": \"\", "
      "\"text\": \"a\"}' '{\"id\": \"a b\", \"text\": \"a\"}' '{\"id\": "
      "\"a/b\", \"text\": \"a\"}' | $RUN $TINY --jsonl -" +
      at());
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names,
              ::testing::UnorderedElementsAre("_._up", "_", "a_b", "a_b-2"));
  EXPECT_EQ(json("a_b-2")["id"], "a/b");
}

TEST_F(Dump, TellsWhyARequestFailed) {
  const Ran ran = shell("$RUN $BAD --set preprocess.how=throw" + at());
  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(json("0")["report"]["error"].get<std::string>(),
              HasSubstr("words went missing"));
}

TEST_F(Dump, KeepsRequestsApartWhenOneFails) {
  const Ran ran = shell(
      R"(printf 'a\n\377\nb\n' | $RUN $TINY - --until preprocess)" + at());
  EXPECT_EQ(ran.code, 65);
  EXPECT_EQ(json("0")["made"].size(), 1);
  EXPECT_THAT(json("1")["report"]["error"].get<std::string>(),
              HasSubstr("is not UTF-8"));
  EXPECT_EQ(json("2")["request"]["inputs"]["text"], "b");
}

TEST_F(Dump, IsReadByPython) {
  ASSERT_EQ(run_tiny(kTwo + at()).code, 0);
  // By hand: the library is not on every machine.
  const Ran ran = shell("python3 -c '" + std::string(R"(
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + size])
begin, end = header["tokens"]["data_offsets"]
print(header["tokens"]["dtype"], size % 8,
      struct.unpack("<4q", data[8 + size + begin:8 + size + end]))
)") + "' " + folder_.string() +
                        "/0/preprocess.0000.safetensors");
  EXPECT_EQ(ran.out, "I64 0 (2, 524, 401, 495)\n") << ran.err;
}

}  // namespace
}  // namespace penstock::cli
