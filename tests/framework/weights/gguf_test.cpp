// The GGUF parser on whole files: what it reads, and what it refuses with
// which words. Truncation and bit flips are in gguf_damage_test.cpp.

#include "weights/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"
#include "tests/framework/weights/gguf_builder.h"

namespace penstock::weights {
namespace {

using testing::bytes_of;
using testing::ByteWriter;
using ::testing::ElementsAre;
using testing::GgufBuilder;
using ::testing::HasSubstr;

constexpr std::uint32_t kTypeQ80 = 8;
constexpr std::uint32_t kTypeQ4K = 12;

// A tensor of `count` floats.
GgufBuilder::Tensor floats(std::string name, std::size_t count) {
  return {.name = std::move(name),
          .dims = {count},
          .data = bytes_of(std::vector<float>(count, 1.5F))};
}

TEST(Gguf, ReadsTensorsWithTheOutermostDimensionFirst) {
  const auto bytes = GgufBuilder()
                         .number<std::uint32_t>("n", 7)
                         .tensor({.name = "a",
                                  .dims = {3, 2},
                                  .data = bytes_of(std::vector<float>(6))})
                         .tensor({.name = "b",
                                  .dims = {32, 2, 1, 1},
                                  .type = kTypeQ80,
                                  .data = std::vector<std::byte>(68)})
                         .build();

  const auto file = parse_gguf(bytes, "f");

  EXPECT_EQ(file.version, 3U);
  EXPECT_EQ(file.alignment, 32U);
  ASSERT_EQ(file.metadata.size(), 1U);
  EXPECT_EQ(file.metadata[0].key, "n");
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_THAT(file.tensors[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(file.tensors[0].data.size(), 24U);
  EXPECT_THAT(file.tensors[1].shape, ElementsAre(1, 1, 2, 32));
  EXPECT_EQ(file.tensors[1].type, WeightType::kQ8_0);
  EXPECT_EQ(file.tensors[1].data.data() + 68, bytes.data() + bytes.size());
}

TEST(Gguf, ReadsVersion2AndNoTensors) {
  const auto file = parse_gguf(GgufBuilder().version(2).build(), "f");

  EXPECT_EQ(file.version, 2U);
  EXPECT_TRUE(file.tensors.empty());
}

TEST(Gguf, ReadsANumberWithoutDimensions) {
  const auto bytes = GgufBuilder()
                         .tensor({.name = "x", .data = bytes_of<float>({2.0F})})
                         .build();

  const auto file = parse_gguf(bytes, "f");

  EXPECT_TRUE(file.tensors[0].shape.empty());
  EXPECT_EQ(file.tensors[0].rows() * file.tensors[0].columns(), 1);
}

TEST(Gguf, HonoursTheAlignmentKey) {
  const auto bytes = GgufBuilder()
                         .number<std::uint32_t>("general.alignment", 512)
                         .alignment(512)
                         .tensor(floats("a", 3))
                         .tensor(floats("b", 5))
                         .build();

  const auto file = parse_gguf(bytes, "f");

  EXPECT_EQ(file.tensors[0].data.data() - bytes.data(), 512);
  EXPECT_EQ(file.tensors[1].data.data() - bytes.data(), 1024);
}

TEST(Gguf, SkipsArraysOfArrays) {
  ByteWriter nested;
  nested.number(GgufBuilder::kArray).number<std::uint64_t>(2);
  for (int i = 0; i < 2; ++i) {
    nested.number<std::uint32_t>(2).number<std::uint64_t>(1);  // one u16
    nested.number<std::uint16_t>(5);
  }
  const auto bytes = GgufBuilder()
                         .raw("nested", GgufBuilder::kArray, nested.bytes())
                         .text("after", "x")
                         .build();

  const auto file = parse_gguf(bytes, "f");

  ASSERT_EQ(file.metadata.size(), 2U);
  EXPECT_EQ(describe(file.metadata[0].value), "array of arrays");
}

struct Case {
  std::string name;
  GgufBuilder file;
  std::vector<std::string> says;  // parts of the message
};

void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class GgufRefusesTest : public ::testing::TestWithParam<Case> {};

TEST_P(GgufRefusesTest, WithWordsThatHelp) {
  const auto bytes = GetParam().file.build();

  try {
    (void)parse_gguf(bytes, "model.gguf");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("model.gguf"));
    EXPECT_THAT(error.what(), HasSubstr("tools/models fetch"));
    EXPECT_THAT(error.what(), HasSubstr("at byte"));
    for (const auto& part : GetParam().says) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

constexpr auto kName = [](const auto& test) { return test.param.name; };
constexpr std::uint64_t kHuge = std::uint64_t{1} << 62U;

ByteWriter array_head(std::uint32_t type, std::uint64_t count) {
  ByteWriter out;
  out.number(type).number(count);
  return out;
}

ByteWriter five_arrays_deep() {
  ByteWriter out;
  for (int i = 0; i < 5; ++i) {
    out.number(GgufBuilder::kArray).number<std::uint64_t>(1);
  }
  return out.number<std::uint32_t>(0).number<std::uint64_t>(0);
}

INSTANTIATE_TEST_SUITE_P(
    Header, GgufRefusesTest,
    ::testing::ValuesIn<Case>({
        {.name = "Version1",
         .file = GgufBuilder().version(1),
         .says = {"GGUF version 1", "expected 2 or 3", "byte 4"}},
        {.name = "Version4",
         .file = GgufBuilder().version(4),
         .says = {"GGUF version 4"}},
        {.name = "BigEndian",
         .file = GgufBuilder().version(0x03000000),
         .says = {"big-endian", "expected little-endian"}},
        {.name = "BigEndianMagic",
         .file = GgufBuilder().magic("FUGG"),
         .says = {"big-endian GGUF file"}},
        {.name = "TooManyTensors",
         .file = GgufBuilder().tensor_count(65'537),
         .says = {"number of tensors is 65537", "at most 65536"}},
        {.name = "MoreTensorsThanFit",
         .file = GgufBuilder().tensor_count(60'000),
         .says = {"number of tensors is 60000", "cannot fit"}},
        {.name = "TooManyKeys",
         .file = GgufBuilder().key_count(kHuge),
         .says = {"number of keys is 4611686018427387904", "at most 65536"}},
        {.name = "MoreKeysThanFit",
         .file = GgufBuilder().key_count(60'000),
         .says = {"number of keys is 60000", "cannot fit"}},
    }),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Keys, GgufRefusesTest,
    ::testing::ValuesIn<Case>({
        {.name = "EmptyKey",
         .file = GgufBuilder().text("", "x"),
         .says = {"key 0", "a name of 0 bytes", "1 to 512"}},
        {.name = "LongKey",
         .file = GgufBuilder().text(std::string(513, 'k'), "x"),
         .says = {"key 0", "a name of 513 bytes"}},
        {.name = "SameKeyTwice",
         .file = GgufBuilder().text("a.b", "x").text("a.b", "y"),
         .says = {"key 'a.b'", "twice"}},
        {.name = "UnprintableKey",
         .file = GgufBuilder().raw("\x1b[2J", 99, {}).text("room", "room"),
         .says = {"key '\\x1b[2J'"}},
        {.name = "UnknownValueType",
         .file = GgufBuilder().raw("k", 13, {}).text("room", "room"),
         .says = {"key 'k'", "value type 13", "expected 0 to 12"}},
        {.name = "BoolOf2",
         .file = GgufBuilder().raw("k", 7, bytes_of<std::int8_t>({2})),
         .says = {"key 'k'", "bool is stored as 2", "expected 0 or 1"}},
        {.name = "BoolOf3InAnArray",
         .file = GgufBuilder().raw(
             "k", GgufBuilder::kArray,
             array_head(7, 2).number<std::uint16_t>(0x0300).bytes()),
         .says = {"key 'k'", "bool is stored as 3"}},
        {.name = "TextLongerThanTheFile",
         .file = GgufBuilder().raw("k", GgufBuilder::kText,
                                   bytes_of<std::uint64_t>({kHuge})),
         .says = {"key 'k'", "ends too early", "the text takes 46116860184"}},
        {.name = "TextLengthThatWraps",
         .file = GgufBuilder().raw("k", GgufBuilder::kText,
                                   bytes_of<std::uint64_t>({~0ULL - 3})),
         .says = {"key 'k'", "the text takes 18446744073709551612 bytes"}},
        {.name = "ArrayLongerThanTheFile",
         .file = GgufBuilder().raw("k", GgufBuilder::kArray,
                                   array_head(6, 1000).bytes()),
         .says = {"key 'k'", "array length is 1000", "cannot fit"}},
        {.name = "ArrayLengthThatWraps",
         .file = GgufBuilder().raw("k", GgufBuilder::kArray,
                                   array_head(6, kHuge).bytes()),
         .says = {"key 'k'", "array length is 4611686018427387904"}},
        {.name = "ArrayOfUnknownType",
         .file = GgufBuilder().raw("k", GgufBuilder::kArray,
                                   array_head(77, 0).bytes()),
         .says = {"key 'k'", "value type 77"}},
        {.name = "ArraysNestedTooDeep",
         .file = GgufBuilder().raw("k", GgufBuilder::kArray,
                                   five_arrays_deep().bytes()),
         .says = {"key 'k'", "nested more than 4 deep"}},
        {.name = "AlignmentZero",
         .file = GgufBuilder().number<std::uint32_t>("general.alignment", 0),
         .says = {"general.alignment", "is 0, expected a power of two"}},
        {.name = "AlignmentNoPowerOfTwo",
         .file = GgufBuilder().number<std::uint32_t>("general.alignment", 48),
         .says = {"is 48, expected a power of two from 8 to 1048576"}},
        {.name = "AlignmentTooLarge",
         .file = GgufBuilder().number<std::uint32_t>("general.alignment",
                                                     1U << 21),
         .says = {"is 2097152, expected"}},
        {.name = "AlignmentAsText",
         .file = GgufBuilder().text("general.alignment", "32"),
         .says = {"general.alignment", "is text, expected u32"}},
    }),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Tensors, GgufRefusesTest,
    ::testing::ValuesIn<Case>({
        {.name = "EmptyName",
         .file = GgufBuilder().tensor(floats("", 4)),
         .says = {"tensor 0", "a name of 0 bytes"}},
        {.name = "LongName",
         .file = GgufBuilder().tensor(floats(std::string(513, 't'), 4)),
         .says = {"tensor 0", "a name of 513 bytes", "1 to 512"}},
        {.name = "SameNameTwice",
         .file = GgufBuilder().tensor(floats("w", 4)).tensor(floats("w", 4)),
         .says = {"tensor 'w'", "twice"}},
        {.name = "FiveDimensions",
         .file = GgufBuilder().tensor({.dims = {1, 1, 1, 1, 1}}),
         .says = {"tensor 'w'", "5 dimensions, expected at most 4"}},
        {.name = "DimensionZero",
         .file = GgufBuilder().tensor({.dims = {4, 0}}),
         .says = {"tensor 'w'", "a dimension of 0"}},
        {.name = "DimensionNegative",
         .file = GgufBuilder().tensor({.dims = {~0ULL}}),
         .says = {"tensor 'w'", "a dimension of -1"}},
        {.name = "ElementsOverflow",
         .file = GgufBuilder().tensor({.dims = {kHuge, 4}}),
         .says = {"tensor 'w'", "multiply to more than 2^63"}},
        {.name = "BytesOverflow",
         .file = GgufBuilder().tensor({.dims = {kHuge}}),
         .says = {"tensor 'w'", "more than 2^63 bytes"}},
        {.name = "KnownTypeNotRead",
         .file = GgufBuilder().tensor({.dims = {256}, .type = 17}),
         .says = {"tensor 'w'", "type IQ2_XS cannot be read", "Q4_K"}},
        {.name = "UnknownType",
         .file = GgufBuilder().tensor({.dims = {256}, .type = 4711}),
         .says = {"tensor 'w'", "type 4711 cannot be read"}},
        {.name = "RowOfBrokenBlocks",
         .file = GgufBuilder().tensor({.dims = {128, 2}, .type = kTypeQ4K}),
         .says = {"rows of 128 numbers", "a multiple of 256 for Q4_K"}},
        {.name = "OffsetNotAligned",
         .file = GgufBuilder().tensor(
             {.dims = {4}, .data = std::vector<std::byte>(32), .offset = 8}),
         .says = {"data offset 8", "a multiple of 32"}},
        {.name = "OffsetPastTheEnd",
         .file = GgufBuilder().tensor(
             {.dims = {4}, .data = std::vector<std::byte>(16), .offset = 32}),
         .says = {"tensor 'w'", "the file is cut short", "ends at 112"}},
        {.name = "OffsetThatWraps",
         .file = GgufBuilder().tensor({.dims = {64},
                                       .data = std::vector<std::byte>(256),
                                       .offset = ~std::uint64_t{31}}),
         .says = {"tensor 'w'", "past 2^64"}},
        {.name = "DataMissing",
         .file = GgufBuilder().tensor({.dims = {1000, 1000}}),
         .says = {"the file is cut short: it has 96 bytes", "ends at 4000096"}},
        {.name = "DataOverlaps",
         .file = GgufBuilder()
                     .tensor(floats("a", 16))
                     .tensor({.name = "b",
                              .dims = {16},
                              .data = std::vector<std::byte>(64),
                              .offset = 32}),
         .says = {"tensor 'b'", "overlaps that of tensor 'a'"}},
    }),
    kName);

TEST(Gguf, RefusesAHeaderOfMoreThan100MB) {
  const auto bytes =
      GgufBuilder().text("k", std::string(kMaxHeaderBytes, 'x')).build();

  try {
    (void)parse_gguf(bytes, "f");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("end within 100000000 bytes"));
  }
}

struct OtherFile {
  std::string name;
  std::string begins;
  std::string says;
};

void PrintTo(const OtherFile& c, std::ostream* os) { *os << c.name; }

class NotGgufTest : public ::testing::TestWithParam<OtherFile> {};

TEST_P(NotGgufTest, SaysWhatItLooksLike) {
  const auto& text = GetParam().begins;

  try {
    (void)parse_gguf(std::as_bytes(std::span(text)), "f");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

using std::string_literals::operator""s;

INSTANTIATE_TEST_SUITE_P(
    Table, NotGgufTest,
    ::testing::ValuesIn<OtherFile>({
        {"Empty", "", "the file is empty"},
        {"TwoBytes", "GG", "the file ends too early: it has 2 bytes"},
        {"Safetensors", "\x10\x02\0\0\0\0\0\0{\"a\""s, "a safetensors file"},
        {"Zip", "PK\x03\x04....", "a zip archive, perhaps a PyTorch"},
        {"Pickle", "\x80\x02}q", "a Python pickle"},
        {"Html", "\n <!DOCTYPE html><html>", "a web page"},
        {"HtmlWithoutDoctype", "<HTML lang=en>", "a web page"},
        {"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid",
         "a Git LFS pointer: run `git lfs pull`"},
        {"Ggml", "tjgg\x01", "a GGML file from before GGUF"},
        {"Gzip", "\x1f\x8b\x08", "a gzip archive"},
        {"Json", "{\"error\": 1}", "JSON"},
        {"Zeros", "\0\0\0\0\0\0"s, "zeros: an unfinished download"},
        {"Unknown", "\x01hello world", "begins with '\\x01hello w'"},
    }),
    kName);

}  // namespace
}  // namespace penstock::weights
