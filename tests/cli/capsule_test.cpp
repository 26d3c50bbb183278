// --capsule keeps what the stage that failed was given; --replay runs it alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "penstock/error.h"
#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

/// A folder that is not there yet.
std::string fresh() {
  static int count = 0;
  return "$T/capsule" + std::to_string(count++);
}

const std::string kPlugins = " --plugin-path $PLUGINS/stages ";

struct Case {
  const char* name;
  const char* command;
  int code;
  const char* words;
  const char* why = "error";
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class CapsuleOf : public ::testing::TestWithParam<Case> {};

TEST_P(CapsuleOf, FailsAgainAloneAndNamesTheSameStage) {
  const Case& c = GetParam();
  const std::string folder = fresh();
  const Ran ran = shell(str(c.command, " --capsule ", folder));
  EXPECT_EQ(ran.code, c.code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("was given is kept in"));
  const Ran json = shell("cat " + folder + "/capsule.json");
  EXPECT_EQ(Json::parse(json.out)["why"], c.why);
  const Ran again = shell("$RUN --replay " + folder + kPlugins);
  EXPECT_EQ(again.code, c.code) << again.err << again.out;
  EXPECT_THAT(again.err, HasSubstr(c.words));
  EXPECT_THAT(again.err, HasSubstr("in stage '"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, CapsuleOf,
    ::testing::Values(Case{"Preprocess", "$RUN $BAD --set preprocess.how=throw",
                           70, "words went missing"},
                      Case{"Forward", "$RUN $BAD --set forward.how=throw", 70,
                           "the engine stalled"},
                      Case{"ForwardNotFinite",
                           "$RUN $BAD --set forward.how=nan", 70, "not finite"},
                      Case{"Decode", "$RUN $PICK --set decode.how=throw", 70,
                           "picked a fight"},
                      Case{"Postprocess",
                           "$RUN $BAD --set postprocess.how=throw", 70, ""},
                      Case{"Opening", "$RUN $BAD --set forward.how=open", 70,
                           "no fuel", "open"}),
    [](const auto& test) { return test.param.name; });

TEST(Capsule, OfAStageThatHangsSaysWhereAndHowFullTheQueuesAre) {
  const std::string folder = fresh();
  const Ran ran = shell(
      "$RUN $BAD --set forward.how=hang --timeout 0.2 "
      "--stall-timeout 0.3 --capsule " +
      folder);
  EXPECT_EQ(ran.code, 75) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("stage 'forward' (trouble.model)"));
  EXPECT_THAT(ran.err, HasSubstr("running: 1 of "));
  const Json json = Json::parse(shell("cat " + folder + "/capsule.json").out);
  EXPECT_EQ(json["why"], "stall");
  EXPECT_EQ(json["stall"]["queues"]["running"]["count"], 1);
  EXPECT_EQ(json["stage"]["kind"], "forward");
  EXPECT_EQ(json["call"]["sequences"].size(), 1);
}

/// One interrupt is enough, whichever stage never returns.
TEST(Hanging, StagesEndWithAnInterrupt) {
  for (const char* stage : {"preprocess", "forward"}) {
    const Ran ran =
        shell(str("stop_hung INT $RUN $BAD --set ", stage, ".how=hang"));
    EXPECT_EQ(ran.code, 130) << stage << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(str("stage '", stage, "'")));
  }
}

TEST(Capsule, IsNotMadeWhereNothingFails) {
  const std::string folder = fresh();
  const Ran ran = shell("$RUN $BAD --capsule " + folder + "; test -e " +
                        folder + " && echo there");
  EXPECT_THAT(ran.out, Not(HasSubstr("there")));
  EXPECT_THAT(ran.err, Not(HasSubstr("kept")));
}

TEST(Capsule, HoldsNobodyElsesInputs) {
  const std::string folder = fresh();
  const Ran ran = shell(
      "$RUN $BAD --set postprocess.how=throw --set postprocess.on=fails "
      "--text secret --text fails --capsule " +
      folder + "; grep -l secret " + folder + "/* ; stat -c %a " + folder);
  EXPECT_THAT(ran.err, HasSubstr("is kept in"));
  EXPECT_EQ(ran.out.substr(ran.out.rfind('\n', ran.out.size() - 2) + 1),
            "700\n")
      << ran.out;
  EXPECT_THAT(ran.out, Not(HasSubstr("capsule.json")));
  EXPECT_THAT(ran.out, Not(HasSubstr("pipeline.yaml")));
}

TEST(Replay, WithAChangeSaysThatItFailsNoMore) {
  const std::string folder = fresh();
  (void)shell("$RUN $BAD --set forward.how=throw --capsule " + folder);
  const Ran again =
      shell("$RUN --replay " + folder + kPlugins + "--set forward.how=well");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("trouble.model returned\n"));
  EXPECT_THAT(again.out, HasSubstr("scores.full: "));
  EXPECT_THAT(again.out,
              HasSubstr("it did not fail as it did then: the engine stalled"));
}

TEST(Replay, RunsACallThatWasAskedForWithItsState) {
  for (const char* stage :
       {"preprocess", "batch", "forward:4", "decode:4", "postprocess:2"}) {
    const std::string folder = fresh();
    const Ran ran = shell(str("$RUN $TINY --text 'one two three' --capsule ",
                              folder, " --capsule-at ", stage));
    EXPECT_EQ(ran.code, 0) << stage << ran.err;
    const Ran again = shell("$RUN --replay " + folder);
    EXPECT_EQ(again.code, 0) << stage << again.err;
    EXPECT_THAT(again.out, HasSubstr(" returned\n")) << stage;
  }
}

struct Damage {
  const char* name;
  const char* change;  ///< of the folder $C
  int code;
  const char* words;
};
void PrintTo(const Damage& c, std::ostream* out) { *out << c.name; }
class Damaged : public ::testing::TestWithParam<Damage> {};

TEST_P(Damaged, CapsuleIsRefusedByName) {
  const Damage& c = GetParam();
  const std::string folder = fresh();
  const Ran ran = shell(
      "$RUN $TINY --text 'one two three' --capsule-at forward:3 "
      "--capsule " +
      folder + " && C=" + folder + " && " + c.change + " && $RUN --replay $C");
  EXPECT_EQ(ran.code, c.code) << ran.err << ran.out;
  EXPECT_THAT(ran.err, HasSubstr(c.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Damaged,
    ::testing::Values(
        Damage{"NoFolder", "C=$C/none", 66,
               "expected a folder that --capsule made"},
        Damage{"NoJson", "echo '{' >$C/capsule.json", 65, "is no 'penstock"},
        Damage{"OtherFormat",
               "sed -i 's/penstock capsule 1/penstock capsule 9/' "
               "$C/capsule.json",
               65, "of another version"},
        Damage{"NoCall", "sed -i 's/\"facts\"/\"fats\"/' $C/capsule.json", 65,
               "capsule.json': "},
        Damage{"SliceBehindTheEnd",
               "sed -i 's/\"begin\": [0-9]*/\"begin\": 9000/' $C/capsule.json",
               65, "'begin' is 9000; expected a whole number in 0.."},
        Damage{"ItemOfNoRequest",
               "sed -i 's/\"request\": 0/\"request\": 5/' $C/capsule.json", 65,
               "'request' is 5; expected a whole number in 0..0"},
        Damage{"AnotherStage",
               "sed -i 's/\"use\": \"gemma.forward\"/\"use\": \"x.y\"/' "
               "$C/capsule.json",
               65, "is not at that place"},
        Damage{"TensorsCut",
               "head -c 40 $C/tensors.safetensors >$C/t && "
               "mv $C/t $C/tensors.safetensors",
               65, "tensors.safetensors"},
        Damage{"HeaderTooLong",
               "printf '\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00' | dd "
               "of=$C/tensors.safetensors conv=notrunc status=none",
               65, "its header is said to have 4294967295 bytes"},
        Damage{"NoTensors", "rm $C/tensors.safetensors", 66,
               "tensors.safetensors"}),
    [](const auto& test) { return test.param.name; });

struct Refusal {
  const char* command;
  int code;
  const char* words;
};
class Refused : public ::testing::TestWithParam<Refusal> {};
TEST_P(Refused, InOneLine) {
  const Ran ran = shell(GetParam().command);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    ::testing::Values(
        Refusal{"$RUN $TINY --capsule $T", 2, "is not empty"},
        Refusal{"$RUN $TINY --capsule /proc/x", 75, "cannot make the folder"},
        Refusal{"$RUN $TINY --capsule-at forward", 2, "needs the folder"},
        Refusal{"$RUN $TINY --capsule $T/cx --capsule-at forwards:1", 2,
                "expected STAGE or STAGE:NUMBER"},
        Refusal{"$RUN $TINY --capsule $T/cy --capsule-at forward:0", 2,
                "expected STAGE or STAGE:NUMBER"},
        Refusal{"$RUN $TINY --replay $T/x", 2, "with it go --set"}));

}  // namespace
}  // namespace penstock::cli
