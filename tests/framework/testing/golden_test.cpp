// golden_text() and golden_tensor(): when they are silent, and what they say.
#include "penstock/testing/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::filesystem::path file_of(const std::string& name,
                              const std::string& bytes) {
  const auto path = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(GoldenText, IsSilentWhereTheBytesAreTheSame) {
  EXPECT_EQ(golden_text(file_of("same.txt", "a\nb\n"), "a\nb\n"), "");
  EXPECT_EQ(golden_text(file_of("empty.txt", ""), ""), "");
}

TEST(GoldenText, SaysWhereTheFirstDifferenceIs) {
  const auto file = file_of("menu.txt", "soup\nbread\nwine\n");
  EXPECT_THAT(
      golden_text(file, "soup\nbrood\nbeer\n"),
      HasSubstr("line 2, character 3: got \"brood\", wanted \"bread\""));
  EXPECT_THAT(golden_text(file, "soup\nbread\n"),
              HasSubstr("line 3, character 1: got the end, wanted \"wine\""));
  EXPECT_THAT(golden_text(file, "soup\nbread\nwine\n\n"),
              HasSubstr("line 4, character 1: got \"\", wanted the end"));
}

TEST(GoldenText, KeepsWhatItGotAndLeavesTheFile) {
  const auto file = file_of("kept.txt", "old");
  const std::string said = golden_text(file, "new");
  EXPECT_THAT(said, AllOf(HasSubstr("if that is right: cp '"),
                          HasSubstr(file.string())));
  const std::size_t begin = said.find("cp '") + 4;
  std::ifstream got(said.substr(begin, said.find('\'', begin) - begin));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(got), {}), "new");
  std::ifstream left(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(left), {}), "old");
}

TEST(GoldenText, TellsThatThereIsNone) {
  EXPECT_THAT(golden_text("/nowhere/x.txt", "new"),
              HasSubstr("there is no golden file '/nowhere/x.txt'"));
}

/// "x": 1, 2, 3, 4 as f32[2,2], in safetensors.
std::filesystem::path tensors() {
  std::string header =
      R"({"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  while (header.size() % 8 != 0) header += ' ';
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes += header;
  for (const float number : {1.0F, 2.0F, 3.0F, 4.0F}) {
    bytes.append(reinterpret_cast<const char*>(&number), 4);
  }
  return file_of("x.safetensors", bytes);
}

TEST(GoldenTensor, IsSilentUpToRounding) {
  const auto near = at::tensor({1.0F, 2.0F, 3.0000002F, 4.0F}).reshape({2, 2});
  EXPECT_EQ(golden_tensor(tensors(), "x", near), "");
  EXPECT_EQ(golden_tensor(tensors(), "x", near.to(at::kDouble)), "");
}

TEST(GoldenTensor, SaysWhatDiffers) {
  const auto wrong = at::tensor({1.0F, 2.0F, 3.1F, 4.0F});
  EXPECT_THAT(
      golden_tensor(tensors(), "x", wrong.reshape({2, 2})),
      AllOf(HasSubstr("'x' is not as in"), HasSubstr("the first at [1, 0]")));
  EXPECT_THAT(golden_tensor(tensors(), "x", wrong), HasSubstr("[4]"));
  EXPECT_THAT(golden_tensor(tensors(), "y", wrong), HasSubstr("'y'"));
  EXPECT_THAT(golden_tensor("/nowhere/x.safetensors", "x", wrong),
              HasSubstr("/nowhere/x.safetensors"));
}

}  // namespace
}  // namespace penstock::testing
