// The safetensors parser on good and on hostile bytes: every length, offset,
// shape and type is checked; cut and flipped anywhere, it refuses or reads
// safely. Meant to be run under the sanitizers as well.
#include "weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"
#include "tests/framework/weights/gguf_builder.h"

namespace penstock::weights {
namespace {

using testing::ByteWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::byte> file(const std::string& header, std::size_t data_bytes,
                            std::optional<std::uint64_t> length = {}) {
  ByteWriter out;
  out.number<std::uint64_t>(length.value_or(header.size()));
  out.raw(std::as_bytes(std::span(header)));
  for (std::size_t i = 0; i < data_bytes; ++i) {
    out.number(static_cast<std::uint8_t>(i));
  }
  return out.bytes();
}

std::string entry(const std::string& name, const std::string& type,
                  const std::string& shape, const std::string& offsets) {
  return R"(")" + name + R"(": {"dtype": ")" + type + R"(", "shape": )" +
         shape + R"(, "data_offsets": )" + offsets + "}";
}

const std::string kGood = R"({"__metadata__": {"format": "pt"}, )" +
                          entry("b", "F32", "[2]", "[12, 20]") + ", " +
                          entry("a", "BF16", "[2, 3]", "[0, 12]") + ", " +
                          entry("ids", "I64", "[1]", "[20, 28]") + "}";

TEST(Safetensors, GivesTensorsInTheOrderOfTheirData) {
  const auto bytes = file(kGood, 28);
  EXPECT_TRUE(looks_like_safetensors(bytes));
  const auto parsed = parse_safetensors(bytes, "f");
  ASSERT_EQ(parsed.tensors.size(), 2);
  EXPECT_EQ(parsed.tensors[0].name, "a");
  EXPECT_EQ(parsed.tensors[0].type, WeightType::kBF16);
  EXPECT_THAT(parsed.tensors[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(parsed.tensors[1].data.size(), 8);
  EXPECT_EQ(parsed.tensors[1].data[0], std::byte{12});
  ASSERT_EQ(parsed.others.size(), 1);
  EXPECT_EQ(parsed.others[0].type, "I64");
}

TEST(Safetensors, ReadsNumbersAtAnyByte) {
  // An odd header: the first number lies at an odd address.
  std::string header = "{" + entry("a", "F16", "[1, 2]", "[0, 4]") + "}";
  if (header.size() % 2 == 0) header += " ";
  const auto bytes = file(header, 4);
  const auto parsed = parse_safetensors(bytes, "f");
  std::vector<float> out(2);
  dequantize(parsed.tensors[0], 0, 1, out);
  EXPECT_GT(out[1], 0);
}

struct Bad {
  std::string name, header;
  std::size_t data_bytes = 0;
  std::string words;
};
void PrintTo(const Bad& c, std::ostream* os) { *os << c.name; }

class BadSafetensors : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSafetensors, IsRefused) {
  const auto& c = GetParam();
  try {
    (void)parse_safetensors(file(c.header, c.data_bytes), "f");
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(c.words));
  }
}

std::string one(const std::string& type, const std::string& shape,
                const std::string& offsets) {
  return "{" + entry("a", type, shape, offsets) + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSafetensors,
    ::testing::ValuesIn<Bad>({
        {"NoJson", "hello", 0, "is no JSON"},
        {"List", "[]", 0, "is a list, expected an object"},
        {"UnknownType", one("F99", "[1]", "[0, 4]"), 4, "'F99', expected F32"},
        {"TypeIsNumber",
         R"({"a": {"dtype": 5, "shape": [], )"
         R"("data_offsets": [0, 4]}})",
         4, "is an integer, expected a text"},
        {"NoShape", R"({"a": {"dtype": "F32", "data_offsets": [0, 4]}})", 4,
         "has no key 'shape'"},
        {"NegativeShape", one("F32", "[-1]", "[0, 4]"), 4, "is -1, expected 0"},
        {"FractionalShape", one("F32", "[1.5]", "[0, 4]"), 4,
         "expected an integer"},
        {"ManyDimensions", one("F32", "[1,1,1,1,1,1,1,1,1]", "[0, 4]"), 4,
         "more than 8 dimensions"},
        {"ShapeOverflows", one("F32", "[4294967296, 4294967296, 4]", "[0, 4]"),
         4, "more than 2^63 bits"},
        {"ShapeTakesMore", one("F32", "[2]", "[0, 4]"), 4,
         "has 4 bytes of data, its shape takes 8"},
        {"HalfAByte", one("F4", "[3]", "[0, 1]"), 1, "ends within a byte"},
        {"EndBeforeBegin", one("F32", "[1]", "[4, 0]"), 4,
         "is 0, expected 4 to 4"},
        {"EndBehindTheFile", one("F32", "[2]", "[0, 8]"), 4,
         "is 8, expected 0 to 4"},
        {"HugeOffset", one("F32", "[1]", "[0, 9223372036854775807]"), 4,
         "expected 0 to 4"},
        {"ThreeOffsets", one("F32", "[1]", "[0, 2, 4]"), 4,
         "has 3 data_offsets"},
        {"Overlap",
         "{" + entry("a", "F32", "[2]", "[0, 8]") + ", " +
             entry("b", "F32", "[1]", "[4, 8]") + "}",
         8, "within the tensor before it"},
        {"Gap",
         "{" + entry("a", "F32", "[1]", "[0, 4]") + ", " +
             entry("b", "F32", "[1]", "[8, 12]") + "}",
         12, "behind a gap"},
        {"BytesLeft", one("F32", "[1]", "[0, 4]"), 9, "5 bytes behind"},
        {"NameTwice",
         "{" + entry("a", "F32", "[1]", "[0, 4]") + ", " +
             entry("a", "F32", "[1]", "[4, 8]") + "}",
         8, "'a' stands there twice"},
        {"LongName",
         "{" + entry(std::string(600, 'n'), "F32", "[1]", "[0, 4]") + "}", 4,
         "a name of 600 bytes"},
        {"DeepMetadata", R"({"__metadata__": {"a": [[[[1]]]]}})", 0,
         "nested deeper than 4"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(SafetensorsDamage, LengthIsHeldAgainstTheFile) {
  for (const auto& [length, words] :
       std::vector<std::pair<std::uint64_t, std::string>>{
           {~std::uint64_t{0}, "expected at most 100000000"},
           {200'000'000, "expected at most 100000000"},
           {1000, "cut short"}}) {
    try {
      (void)parse_safetensors(file("{}", 0, length), "f");
      FAIL() << "not refused: " << length;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  }
}

void touch(const SafetensorsFile& parsed) {
  unsigned sum = 0;
  for (const auto& tensor : parsed.tensors) {
    for (const auto byte : tensor.data) sum += std::to_integer<unsigned>(byte);
  }
  volatile unsigned kept = sum;
  (void)kept;
}

TEST(SafetensorsDamage, CutAnywhereIsRefused) {
  const auto whole = file(kGood, 28);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<long>(size));
    EXPECT_THROW((void)parse_safetensors(cut, "f"), Error) << size;
  }
}

TEST(SafetensorsDamage, AnyFlippedHeaderBitIsRefusedOrReadSafely) {
  const auto whole = file(kGood, 28);
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < (whole.size() - 28) * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    try {
      touch(parse_safetensors(flipped, "f"));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), Code::kData);
    }
  }
  EXPECT_GT(refused, whole.size() * 4);
}

}  // namespace
}  // namespace penstock::weights
