// Notes and facts are read and set by keys that know their type.
#include "penstock/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

template <class Call>
std::string problem_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    return error.text();
  }
  return "";
}

TEST(Notes, AreFoundByTheirKey) {
  Notes notes;
  EXPECT_EQ(find(notes, kAudioBegin), nullptr);
  EXPECT_EQ(get_or(notes, kAudioBegin, 2), 2);
  set(notes, kAudioBegin, 1);  // becomes a double, as the key says
  ASSERT_NE(find(notes, kAudioBegin), nullptr);
  EXPECT_EQ(get(notes, kAudioBegin), 1.0);
  EXPECT_EQ(get_or(notes, kAudioBegin, 2), 1);
  set(notes, kAudioBegin, 3);
  EXPECT_EQ(get(notes, kAudioBegin), 3);
  EXPECT_EQ(notes.size(), 1U);
}

TEST(Notes, OfAnotherTypeAreRefusedByName) {
  Notes notes{{"audio_begin", std::int64_t{1}}, {"eos_ids", std::string("1")}};
  EXPECT_THAT(
      problem_of([&] { (void)find(notes, kAudioBegin); }),
      HasSubstr("note 'audio_begin' has the type integer, expected number"));
  EXPECT_THAT(problem_of([&] { (void)get_or(notes, kAudioBegin, 0); }),
              HasSubstr("audio_begin"));
  EXPECT_THAT(
      problem_of([&] { (void)get(notes, kEosIds); }),
      HasSubstr("fact 'eos_ids' has the type text, expected list of integers"));
}

TEST(Notes, ThatAreMissingAreNamedWithThoseThereAre) {
  Notes notes;
  EXPECT_EQ(problem_of([&] { (void)get(notes, kVocabSize); }),
            "there is no fact 'vocab_size'; there are: none");
  set(notes, kSampleRate, 8000);
  set(notes, kText, "x");
  EXPECT_EQ(problem_of([&] { (void)get(notes, kTime); }),
            "there is no note 'time'; there are: sample_rate, text");
}

TEST(Notes, HaveSpecsOfTheirType) {
  EXPECT_EQ(to_string(spec_of(kTime)), "time: number");
  EXPECT_EQ(to_string(spec_of(kFrames)), "frames: list of integers");
  EXPECT_EQ(to_string(spec_of(kVocabSize)), "vocab_size: integer");
  EXPECT_EQ(to_string(spec_of(kText)), "text: text");
  EXPECT_EQ(to_string(spec_of(Note<bool>{"is_live"})),
            "is_live: true or false");
}

}  // namespace
}  // namespace penstock
