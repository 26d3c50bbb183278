// text.bytes: how files begin and end, as Magika's features have them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/core/Tensor.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "penstock/testing/run_stage.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<int> numbers(const Made& made) {
  const at::Tensor& bytes = get(made.items.at(0).inputs, "bytes");
  EXPECT_EQ(bytes.scalar_type(), at::kInt);
  const auto* const first = bytes.const_data_ptr<std::int32_t>();
  return {first, first + bytes.numel()};
}

std::vector<int> bytes_of(const std::string& text, const std::string& params) {
  Media media;
  media.name = "a";
  media.bytes = std::make_shared<std::string>(text);
  return numbers(run_stage("{use: text.bytes, " + params + "}",
                           {.inputs = {{"file", media}}}));
}

TEST(Bytes, PadTheBeginningBehindAndTheEndBefore) {
  EXPECT_THAT(bytes_of("ab", "begin: 3, end: 4"),
              ElementsAre('a', 'b', 256, 256, 256, 'a', 'b'));
}

TEST(Bytes, OfALongFileAreItsTwoEnds) {
  EXPECT_THAT(bytes_of("abcdefgh", "begin: 2, end: 3"),
              ElementsAre('a', 'b', 'f', 'g', 'h'));
}

TEST(Bytes, LeaveOutBlanksAtTheOutsideOfEachBlock) {
  EXPECT_THAT(bytes_of("\n\t a \v", "begin: 2, end: 4, padding: 0"),
              ElementsAre('a', ' ', '\n', '\t', ' ', 'a'));
  EXPECT_THAT(bytes_of(" a ", "begin: 3, end: 0, strip: false"),
              ElementsAre(' ', 'a', ' '));
  EXPECT_THAT(bytes_of("   ", "begin: 1, end: 1"), ElementsAre(256, 256));
}

TEST(Bytes, AreUnsigned) {
  EXPECT_THAT(bytes_of("\xFF\x80", "begin: 2, end: 0"), ElementsAre(255, 128));
}

TEST(Bytes, OfAFileAreReadFromItsEnds) {
  const auto path = std::filesystem::temp_directory_path() / "bytes_test.bin";
  std::ofstream(path) << "ab" << std::string(10000, '-') << "yz";
  const auto made =
      numbers(run_stage("{use: text.bytes, begin: 2, end: 2, block: 2}",
                        {.inputs = {{"file", path.string()}}}));
  EXPECT_THAT(made, ElementsAre('a', 'b', 'y', 'z'));
  std::filesystem::remove(path);
}

TEST(Bytes, OfNothingAreAnError) {
  try {
    (void)bytes_of("", "begin: 1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the file is empty"));
  }
}

TEST(Bytes, CannotBeMoreThanTheBlock) {
  EXPECT_THROW((void)bytes_of("a", "begin: 9, end: 1, block: 8"), Error);
}

}  // namespace
}  // namespace penstock::testing
