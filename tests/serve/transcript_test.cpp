// Transcripts with the names of OpenAI's API.
#include "pipeline_serve/api/audio/transcript.h"

#include <gtest/gtest.h>

#include "penstock/keys.h"

namespace penstock::serve {
namespace {

const std::string kFirst =
    R"({"segments": [{"begin": 0.5, "end": 2, "text": "One.",
        "average_log_probability": -0.25, "compression_ratio": 1.5,
        "no_speech": 0.125, "temperature": 0.2, "seek": 0, "tokens": [9, 1]},
       {"begin": 2, "end": 3, "text": "Two."}]})";
const std::string kSecond =
    R"({"segments": [{"begin": 30, "end": 31.5, "text": "One.", "seek": 3000}]})";

TEST(Transcript, NamesWhatASegmentHas) {
  const auto got = transcript_of("One. Two. One.", {kFirst, kSecond}, {});
  ASSERT_EQ(got.segments.size(), 3);
  EXPECT_EQ(got.segments[0],
            OutJson::parse(R"({"id": 0, "seek": 0, "start": 0.5, "end": 2,
                "text": "One.", "tokens": [9, 1], "temperature": 0.2,
                "avg_logprob": -0.25, "compression_ratio": 1.5,
                "no_speech_prob": 0.125})"));
  EXPECT_EQ(got.segments[2]["id"], 2);
  EXPECT_EQ(got.segments[2]["seek"], 3000);
}

TEST(Transcript, SegmentsJoinedAreTheText) {
  const std::string text = "One.\xE3\x80\x80Two. One.";
  const auto got = transcript_of(text, {kFirst, kSecond}, {});
  std::string joined;
  for (const auto& each : got.segments) joined += each["text"];
  EXPECT_EQ(joined, text);
}

TEST(Transcript, LastsAsLongAsTheSound) {
  Notes notes;
  set(notes, kAudioBegin, 1);
  set(notes, kAudioSeconds, 32);
  EXPECT_EQ(transcript_of("", {}, notes).seconds, 33);
  // Of a sound in parts the notes are those of the last.
  EXPECT_EQ(transcript_of("One.", {kSecond}, {}).seconds, 31.5);
  EXPECT_EQ(duration_usage(transcript_of("One.", {kSecond}, {})),
            OutJson::parse(R"({"type": "duration", "seconds": 32.0})"));
}

}  // namespace
}  // namespace penstock::serve
