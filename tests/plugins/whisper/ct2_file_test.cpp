#include "whisper/ct2_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "penstock/error.h"

namespace penstock::whisper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
  return out;
}
std::string text(const std::string& value) {
  return number(static_cast<std::uint32_t>(value.size() + 1), 2) + value + '\0';
}
std::string array(const std::string& name, const std::vector<int>& shape,
                  int type, const std::string& data) {
  std::string out = text(name) + static_cast<char>(shape.size());
  for (const int dim : shape) out += number(static_cast<std::uint32_t>(dim), 4);
  return out + static_cast<char>(type) +
         number(static_cast<std::uint32_t>(data.size()), 4) + data;
}
std::string file_of(const std::vector<std::string>& arrays,
                    const std::string& aliases = number(0, 4)) {
  std::string out = number(6, 4) + text("WhisperSpec") + number(3, 4) +
                    number(static_cast<std::uint32_t>(arrays.size()), 4);
  for (const std::string& one : arrays) out += one;
  return out + aliases;
}

std::vector<float> floats_of(const Ct2File& file, const std::string& name) {
  const WeightTensor tensor = to_weights(name, file.at(name));
  std::vector<float> out(
      static_cast<std::size_t>(tensor.rows() * tensor.columns()));
  dequantize(tensor, 0, tensor.rows(), out);
  return out;
}

/// 1, -2, 65504 and the smallest positive half.
const std::string kHalves("\x00\x3C\x00\xC0\xFF\x7B\x01\x00", 8);

TEST(Ct2File, ReadsArraysNumbersAndAliases) {
  const Ct2File file(
      "m", file_of({array("a", {2, 2}, 4, kHalves), array("n", {}, 1, "\xFE")},
                   number(1, 4) + text("b") + text("a")));
  EXPECT_EQ(file.spec(), "WhisperSpec");
  EXPECT_THAT(file.at("a").shape, ElementsAre(2, 2));
  EXPECT_THAT(floats_of(file, "b"), ElementsAre(1, -2, 65504, 0x1p-24F));
  EXPECT_EQ(file.integer("n"), -2);
}

TEST(Ct2File, ReadsEveryKindOfFloat) {
  const Ct2File file(
      "m", file_of({array("f", {1}, 0, std::string("\x00\x00\x20\xC0", 4)),
                    array("b", {1}, 5, std::string("\x20\xC0", 2))}));
  EXPECT_THAT(floats_of(file, "f"), ElementsAre(-2.5F));
  EXPECT_THAT(floats_of(file, "b"), ElementsAre(-2.5F));
}

struct Bad {
  std::string name;
  std::string bytes;
  std::string text;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadFile : public ::testing::TestWithParam<Bad> {};

TEST_P(BadFile, IsRefusedWithItsPlace) {
  try {
    const Ct2File file("m", GetParam().bytes);
    (void)floats_of(file, "a");
    (void)file.integer("n");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().text));
  }
}

const std::string kArray = array("a", {2, 2}, 4, kHalves);

INSTANTIATE_TEST_SUITE_P(
    Table, BadFile,
    ::testing::ValuesIn(std::vector<Bad>{
        {"empty", "", "the version needs 4 bytes, 0 are left"},
        {"other", "GGUF....", "is no CTranslate2 model of version 6"},
        {"cut", file_of({kArray}).substr(0, 50), "bytes, "},
        {"more", file_of({kArray}) + "x", "more than the file should hold"},
        {"twice", file_of({kArray, kArray}), "a stands there twice"},
        {"rank", file_of({array("a", {1, 1, 1, 1, 1}, 4, "ab")}),
         "a has 5 dims"},
        {"no_numbers", file_of({array("a", {0}, 4, "")}), "a has a dim of 0"},
        {"too_many", file_of({array("a", {1 << 30, 1 << 30}, 4, "ab")}),
         "a has a dim of 1073741824"},
        {"type", file_of({array("a", {1}, 9, "ab")}), "a has type 9"},
        {"size", file_of({array("a", {3}, 4, kHalves)}),
         "a has 8 bytes for 3 numbers"},
        {"alias", file_of({kArray}, number(1, 4) + text("b") + text("c")),
         "b is another name of nothing"},
        {"missing", file_of({}), "has no array a"},
        {"whole_numbers", file_of({array("a", {2}, 1, "ab")}),
         "stored as whole numbers"},
        {"infinite", file_of({array("a", {1}, 4, std::string("\x00\x7C", 2))}),
         "tensor 'a' (F16): row 0 holds a NaN or infinite number"},
        {"not_a_number", file_of({kArray, array("n", {1}, 1, "a")}),
         "n is no single whole number"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Ct2File, AnyFlippedBitIsReadOrRefused) {
  const std::string whole = file_of({kArray, array("n", {}, 2, "ab")},
                                    number(1, 4) + text("b") + text("a"));
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    try {
      const Ct2File file("m", bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
    }
  }
}

}  // namespace
}  // namespace penstock::whisper
