#include "whisper/silence.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace penstock::whisper {
namespace {

struct SilenceCase {
  std::string name;
  std::vector<Speech> speech;  ///< frames of 10 ms
  std::int64_t seek, want;
};
void PrintTo(const SilenceCase& one, std::ostream* out) { *out << one.name; }

class Silence : public ::testing::TestWithParam<SilenceCase> {};

TEST_P(Silence, IsPassedOver) {
  const SilenceCase& one = GetParam();
  EXPECT_EQ(skip_silence(one.speech, one.seek, 3000, 9000), one.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Silence,
    ::testing::ValuesIn(std::vector<SilenceCase>{
        {"nobody_speaks", {}, 0, 9000},
        {"speech_at_once", {{10, 700}}, 0, 0},
        {"speech_within_the_window", {{2000, 2500}}, 0, 0},
        {"none_after_the_words", {{10, 700}}, 3000, 9000},
        {"a_rest_of_written_speech", {{10, 720}}, 700, 9000},
        {"speech_that_goes_on", {{10, 760}}, 700, 700},
        {"short_speech_that_begins", {{710, 735}}, 700, 700},
        {"later_speech", {{10, 700}, {5000, 6000}}, 690, 4980},
        {"speech_in_the_last_second", {{2950, 4000}}, 0, 2930},
        {"the_next_is_in_the_window", {{10, 700}, {900, 950}}, 690, 690},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Speech, ComesFromAGatesNote) {
  EXPECT_FALSE(speech_of({}));
  const auto found = speech_of({{"speech", Tokens{800, 4000, 8000, 16000}},
                                {"sample_rate", std::int64_t{8000}}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].begin, 10);
  EXPECT_EQ((*found)[1].end, 200);
}

}  // namespace
}  // namespace penstock::whisper
