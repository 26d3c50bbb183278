// --compare: the same requests in two ways, and where they part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Sizes that both engines can do.
Ran run_wide(const std::string& arguments) {
  return shell("$RUN gemma_text.yaml --set model=" PENSTOCK_SOURCE_DIR
               "/tests/fixtures/tiny/tiny_wide.gguf " +
               arguments);
}

TEST(Compare, FindsTwoEnginesAlikeLayerByLayer) {
  const Ran ran = run_wide(
      "--compare reference,native --set forward.dtype=fp32 --text 'one two'");
  EXPECT_EQ(ran.code, 0) << ran.err << ran.out;
  EXPECT_THAT(ran.out,
              HasSubstr("A reference (cpu fp32), B native (cpu fp32)"));
  EXPECT_THAT(ran.out, HasSubstr("within the tolerance"));
  EXPECT_THAT(ran.out, HasSubstr("forward embeddings"));
  EXPECT_THAT(ran.out, HasSubstr("forward layer.0"));
  EXPECT_THAT(ran.out, HasSubstr("forward scores.values"));
  EXPECT_THAT(ran.out, HasSubstr("1 request, 0 beyond the tolerance\n"));
}

TEST(Compare, NamesTheFirstTensorBeyondTheTolerance) {
  const Ran ran = run_wide("--compare fp32,bf16 --tolerance 1e-9 --text one");
  EXPECT_EQ(ran.code, 1) << ran.err << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("parts in forward, step 0: "));
  EXPECT_THAT(ran.out, HasSubstr(" in A and "));
  EXPECT_THAT(ran.out, HasSubstr("the tolerance is 1e-09"));
  EXPECT_THAT(ran.out, HasSubstr("1 request, 1 beyond the tolerance\n"));
}

TEST(Compare, IsExactForTheSameTwice) {
  const Ran ran =
      run_wide("--compare native,native --tolerance 1e-30 --text 'a b c'");
  EXPECT_EQ(ran.code, 0) << ran.err << ran.out;
  EXPECT_THAT(ran.out, Not(HasSubstr("parts in")));
}

TEST(Compare, NamesWhatPreprocessMadeOtherwise) {
  const Ran ran = run_wide(
      "--compare 'preprocess.add_bos=true,preprocess.add_bos=false' "
      "--text 'a b c'");
  EXPECT_EQ(ran.code, 1) << ran.err << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("parts in preprocess, item 0: tokens has the "
                                 "shape"));
}

TEST(Compare, NamesValuesThatAreNotFinite) {
  const Ran ran =
      shell("$RUN $BAD --compare forward.how=well,forward.how=nan --text a");
  EXPECT_EQ(ran.code, 1) << ran.err << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("B failed: "));
  EXPECT_THAT(ran.out, HasSubstr("not finite"));
}

struct Refusal {
  const char* arguments;
  int code;
  const char* words;
};
class CompareRefuses : public ::testing::TestWithParam<Refusal> {};
TEST_P(CompareRefuses, InOneLine) {
  const Ran ran = run_tiny(GetParam().arguments);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    Table, CompareRefuses,
    ::testing::Values(
        Refusal{"--compare reference", 2, "expected two ways such as"},
        Refusal{"--compare a,b,c", 2, "expected two ways such as"},
        Refusal{"--compare fp32,fp31", 2, "'fp31' is no engine or dtype of "},
        Refusal{"--compare fp32,cuda", 69, "not available"},
        Refusal{"--tolerance 1", 2, "--tolerance is for --compare"}));

}  // namespace
}  // namespace penstock::cli
