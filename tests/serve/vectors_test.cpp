// Vectors as numbers and as base64.
#include "pipeline_serve/api/openai/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace penstock::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

TEST(Vectors, SurviveBeingWritten) {
  const std::vector<float> numbers{0.1F, -1.0F / 3, 1e-30F,
                                   std::numeric_limits<float>::max()};
  const OutJson list = number_list(numbers);
  EXPECT_EQ(list.dump().substr(0, 5), "[0.1,");
  EXPECT_EQ(numbers_of(OutJson{{"embedding", list}}.dump()), numbers);
}

// base64(struct.pack("<3f", 1, -2, 0.1)) of Python
TEST(Vectors, AreLittleEndianInBase64) {
  EXPECT_EQ(base64_of({1, -2, 0.1F}), "AACAPwAAAMDNzMw9");
  EXPECT_EQ(base64_of({1}), "AACAPw==");
  EXPECT_EQ(base64_of({}), "");
}

TEST(Vectors, CutAreOfLengthOneAgain) {
  EXPECT_THAT(cut_vector({0.3F, 0.4F, 0.8F}, 2),
              ElementsAre(FloatNear(0.6F, 1e-6F), FloatNear(0.8F, 1e-6F)));
  EXPECT_THAT(cut_vector({0, 0, 1}, 2), ElementsAre(0, 0));
}

}  // namespace
}  // namespace penstock::serve
