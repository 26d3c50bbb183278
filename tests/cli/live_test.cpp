// pipeline-run on sound that is still coming: results before its end, Ctrl-C.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;

Ran live(const std::string& line) {
  return shell(
      "M=${PENSTOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/penstock}/media/"
      "pocketsphinx-testdata; LIVE=\"$RUN speech_live.yaml\"; " +
      line);
}

TEST(Live, WritesDownWhatAPipeSays) {
  const Ran ran = live("cat $M/goforward.raw | $LIVE -");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("forward 10 meters."));
}

TEST(Live, GivesTextBeforeTheSoundEnds) {
  const Ran ran = live(
      "mkfifo $T/sound; $LIVE - < $T/sound > $T/heard & pid=$!; "
      "exec 3> $T/sound; cat $M/goforward.raw >&3; "
      "head -c 32000 /dev/zero >&3; until [ -s $T/heard ]; do sleep 0.05; "
      "done; cat $T/heard; echo; cat $M/goforward.raw >&3; exec 3>&-; "
      "wait $pid; code=$?; cat $T/heard; rm $T/sound; exit $code");
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto all = lines(ran.out);
  ASSERT_EQ(all.size(), 2) << ran.out;
  EXPECT_THAT(all[0], HasSubstr("meters."));
  EXPECT_TRUE(all[1].starts_with(all[0])) << ran.out;
  EXPECT_GT(all[1].size(), all[0].size());
}

TEST(Live, EndsAtCtrlCWithWhatWasHeard) {
  const Ran ran = live(
      "mkfifo $T/sound; $LIVE - < $T/sound > $T/heard & pid=$!; "
      "exec 3> $T/sound; cat $M/goforward.raw >&3; "
      "head -c 32000 /dev/zero >&3; until [ -s $T/heard ]; do sleep 0.05; "
      "done; kill -INT $pid; wait $pid; code=$?; cat $T/heard; rm $T/sound; "
      "exit $code");
  EXPECT_EQ(ran.code, 130) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("meters."));
}

TEST(Live, HearsRecordingsWithTheirTimes) {
  const Ran ran = live("$LIVE --json $M/../asterisk-sounds/dir-intro.g722");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto segments = nlohmann::json::parse(ran.out)["segments"];
  ASSERT_GE(segments.size(), 2) << ran.out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_LT(segments[i]["begin"], segments[i]["end"]);
    EXPECT_GE(segments[i]["begin"], segments[i > 0 ? i - 1 : 0]["begin"]);
  }
  EXPECT_GT(segments.back()["end"], 10) << ran.out;
}

TEST(Live, IsSilentWhereNobodySpeaks) {
  const Ran ran = live("head -c 320000 /dev/zero | $LIVE -");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "\n");
}

}  // namespace
}  // namespace penstock::cli
