// pipeline-run on pictures: files, folders, stdin, what is broken, drawings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

/// A folder with pictures, one of them broken, and a text between them.
const std::string kFolder =
    "D=$(mktemp -d); trap 'rm -rf $D' EXIT; "
    "cp $PICTURES/flag.jpg $PICTURES/flag.png $D; mkdir $D/more; "
    "cp $PICTURES/flag.webp $D/more/a.webp; echo hello > $D/readme.txt; "
    "head -c 60 $PICTURES/flag.png > $D/cut.png; ";
const std::string kRun = "$RUN image_classify.yaml ";

Ran run(const std::string& line) {
  return shell("PICTURES=" PENSTOCK_SOURCE_DIR "/tests/fixtures/pictures; " +
               line);
}

std::vector<Json> results(const Ran& ran) {
  std::vector<Json> all;
  std::istringstream in(ran.out);
  for (std::string line; std::getline(in, line);) {
    all.push_back(Json::parse(line));
  }
  return all;
}

TEST(Pictures, OfTheFileAreNamedAndKnown) {
  const Ran ran = run(kRun);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("skimage/chelsea.png\n0.40"));
  EXPECT_THAT(ran.out, HasSubstr("  tiger cat\n"));
  EXPECT_THAT(ran.out, HasSubstr("  espresso\n"));
}

TEST(Pictures, OneAloneIsNotNamed) {
  const Ran ran = run(kRun + "$PICTURES/flag.png");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("flag")));
}

TEST(Pictures, OfAFolderGoOnAfterABrokenOne) {
  const Ran ran = run(kFolder + kRun + "$D --json");
  EXPECT_EQ(ran.code, 65);
  const auto all = results(ran);
  ASSERT_EQ(all.size(), 4);  // sorted; readme.txt is no picture
  EXPECT_THAT(all[0]["id"], ::testing::EndsWith("/cut.png"));
  EXPECT_EQ(all[0]["error"]["code"], "data");
  EXPECT_THAT(all[3]["id"], ::testing::EndsWith("/more/a.webp"));
  for (std::size_t i = 1; i < all.size(); ++i) {
    ASSERT_EQ(all[i]["labels"].size(), 3) << all[i];
    EXPECT_GE(all[i]["labels"][0]["score"], all[i]["labels"][1]["score"]);
    EXPECT_EQ(all[i]["finish_reason"], "end");
  }
  EXPECT_THAT(ran.err, HasSubstr("cut.png': damaged PNG"));
}

TEST(Pictures, AreTheSameByEveryWay) {
  const std::string flag = "$PICTURES/flag.png";
  const Ran file = run(kRun + flag);
  EXPECT_EQ(run(kRun + "- < " + flag).out, file.out);
  EXPECT_EQ(run(kRun + "--input " + flag).out, file.out);
  EXPECT_EQ(run(kRun + "--input image=" + flag).out, file.out);
  EXPECT_THAT(run("echo " + flag + " | " + kRun + "--stdin").out,
              HasSubstr(file.out));
  const Ran line =
      run(R"(echo '{"inputs": {"image": "')" + flag +
          R"('"}, "options": {"top_k": 1}}' | )" + kRun + "--jsonl - --json");
  ASSERT_EQ(line.code, 0) << line.err;
  EXPECT_EQ(results(line)[0]["labels"].size(), 1);
}

TEST(Pictures, ManyAreClassifiedInOrder) {
  const Ran ran =
      run("F=$(for i in $(seq 60); do echo "
          "$PICTURES/flag.png $PICTURES/flag.bmp; done); " +
          kRun + "$F --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto all = results(ran);
  ASSERT_EQ(all.size(), 120);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_THAT(all[i]["id"].get<std::string>(),
                ::testing::EndsWith(i % 2 == 0 ? "flag.png" : "flag.bmp"));
    EXPECT_EQ(all[i]["labels"], all[0]["labels"]);
  }
}

TEST(Pictures, AreDrawnWithTheirLabels) {
  const Ran ran = run("D=$(mktemp -d); trap 'rm -rf $D' EXIT; " + kRun +
                      "$PICTURES/flag.jpg $PICTURES/flag.webp --render $D/x; "
                      "ls $D/x; head -c 8 $D/x/flag.jpg.png | tail -c 7");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("flag.jpg.png\nflag.webp.png\nPNG\r\n"));
}

struct Bad {
  const char* name;
  const char* arguments;
  int code;
  const char* text;
};

class Wrong : public testing::TestWithParam<Bad> {};

TEST_P(Wrong, IsToldInOneLine) {
  const Ran ran = run(kFolder + kRun + GetParam().arguments);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().text));
  EXPECT_EQ(ran.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Pictures, Wrong,
    testing::Values(
        Bad{"missing", "nothere.jpg", 66, "there is no file 'nothere.jpg'"},
        Bad{"text", "$D/readme.txt", 65, "it is no picture known here"},
        Bad{"wrong_ending", "/bin/true", 65, "expected JPEG, PNG"},
        Bad{"empty", "$(touch $D/empty.png; echo $D/empty.png)", 65,
            "empty.png' is empty"},
        Bad{"device", "/dev/zero", 65, "is not a regular file"},
        Bad{"url", "https://example.org/a.jpg", 65,
            "is a URL; only local files are read"},
        Bad{"empty_folder", "$(mkdir $D/none; echo $D/none)", 65,
            "has no file for 'image'"},
        Bad{"folder_as_input", "--input image=$D", 65, "is a folder"},
        Bad{"too_many_pixels", "$D/flag.png --set preprocess.max_pixels=100",
            65, "its header says 24x16 pixels"},
        Bad{"too_many_bytes", "$D/flag.png --set preprocess.max_bytes=10", 65,
            "at most 10 are read"},
        Bad{"text_input", "--text hello", 65,
            "the request has no input 'image'"},
        Bad{"size", "--set preprocess.size=[1,2,3]", 65,
            "one side or [height, width]"},
        Bad{"blocks", "--set forward.blocks=[r1_k3]", 65,
            "'r1_k3' is not understood"},
        Bad{"weights",
            "--set forward.stem=16 --set forward.blocks="
            "[r1_k3_s1_e1_i16_o16]",
            65, "_conv_stem.weight"},
        Bad{"labels", "--set postprocess.labels=none.json", 66, "the labels"}),
    [](const auto& about) { return about.param.name; });

TEST(Pictures, AreWhatGemmaWritesAbout) {
  const auto all = results(run("$RUN photo_to_gemma.yaml --json"));
  ASSERT_EQ(all.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const char* seen = i == 0 ? "cat" : "espresso";
    const std::string look = all[i]["steps"]["look"][0]["text"];
    EXPECT_THAT(look, HasSubstr(seen));
    EXPECT_THAT(all[i]["text"], HasSubstr(seen));
    // The same as the steps by hand.
    const auto by_hand =
        results(run("$RUN gemma_caption.yaml --json --text '" + look + "'"));
    ASSERT_EQ(by_hand.size(), 1);
    EXPECT_EQ(all[i]["text"], by_hand[0]["text"]);
  }
}

TEST(Pictures, CannotBeDrawnByATextPipeline) {
  const Ran ran = shell("$RUN gemma_text.yaml --text a --render /tmp/x");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("gemma.detokenize draws nothing"));
}

}  // namespace
}  // namespace penstock::cli
