// How values are read, checked and written.
#include "penstock/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

struct ParamsCase {
  std::string name;
  ParamValue fallback;  ///< gives the type
  Raw raw;
  ParamValue wanted;  ///< of good ones
  std::string words;  ///< of bad ones
};
void PrintTo(const ParamsCase& c, std::ostream* os) { *os << c.name; }

class ParseParam : public ::testing::TestWithParam<ParamsCase> {};

TEST_P(ParseParam, ReadsOrSaysWhatWasExpected) {
  const ParamsCase& c = GetParam();
  ParamSpec spec;
  spec.name = "x";
  spec.fallback = c.fallback;
  spec.min = -5;
  spec.max = 100;
  try {
    const ParamValue got = parse_param(spec, c.raw);
    ASSERT_EQ(c.words, "") << "accepted as " << to_string(got);
    EXPECT_EQ(got, c.wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    ASSERT_NE(c.words, "") << error.what();
    EXPECT_THAT(error.what(), HasSubstr(c.words));
  }
}

Raw plain(const char* text) { return RawScalar{text}; }
Raw quoted(const char* text) { return RawScalar{text, true}; }
const std::int64_t kInt = 0;
const Raw kPair = std::vector<RawScalar>{RawScalar{"1"}, RawScalar{"2"}};

INSTANTIATE_TEST_SUITE_P(
    Table, ParseParam,
    ::testing::ValuesIn<ParamsCase>({
        {"True", false, plain("true"), true, ""},
        {"False", true, plain("false"), false, ""},
        {"Yes", false, plain("yes"), {}, "true or false"},
        {"QuotedTrue", false, quoted("true"), {}, "true or false"},
        {"Integer", kInt, plain("42"), std::int64_t{42}, ""},
        {"Negative", kInt, plain("-5"), std::int64_t{-5}, ""},
        {"BelowRange", kInt, plain("-6"), {}, "-5..100"},
        {"AboveRange", kInt, plain("101"), {}, "-5..100"},
        {"LeadingZeroIsNotOctal", kInt, plain("010"), std::int64_t{10}, ""},
        {"Hex", kInt, plain("0x10"), {}, "integer"},
        {"Fraction", kInt, plain("4.0"), {}, "integer"},
        {"Trailing", kInt, plain("4 "), {}, "integer"},
        {"Nothing", kInt, plain(""), {}, "integer"},
        {"TooLarge", kInt, plain("9223372036854775808"), {}, "integer"},
        {"QuotedInteger", kInt, quoted("4"), {}, "integer"},
        {"ListForInteger", kInt, kPair, {}, "integer"},
        {"Real", 0.0, plain("0.5"), 0.5, ""},
        {"Exponent", 0.0, plain("1e-3"), 1e-3, ""},
        {"IntegerForReal", 0.0, plain("3"), 3.0, ""},
        {"Infinite", 0.0, plain("inf"), {}, "number"},
        {"NotANumber", 0.0, plain("nan"), {}, "number"},
        {"RealTooLarge", 0.0, plain("1e999"), {}, "number"},
        {"HexReal", 0.0, plain("0x1p3"), {}, "number"},
        {"Text", std::string(), plain("a b"), std::string("a b"), ""},
        {"QuotedText", std::string(), quoted("5"), std::string("5"), ""},
        {"ListForText", std::string(), kPair, {}, "text"},
        {"Integers", Integers{}, kPair, Integers{1, 2}, ""},
        {"OneForIntegers", Integers{}, plain("7"), Integers{7}, ""},
        {"RangeOfIntegers", Integers{}, plain("101"), {}, "-5..100"},
        {"Texts", Texts{}, kPair, Texts{"1", "2"}, ""},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Choices, AreNamedWithTheNearest) {
  ParamSpec spec;
  spec.fallback = std::string("left");
  spec.choices = {"left", "right"};
  EXPECT_EQ(parse_param(spec, plain("right")), ParamValue("right"));
  try {
    (void)parse_param(spec, plain("rigth"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("left, right"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'right'?"));
  }
}

TEST(Choices, HaveOtherSpellings) {
  struct P {
    std::string dtype = "auto";
  };
  ParamList<P> list;
  list.add("dtype", &P::dtype, "")
      .choices({"auto", "fp32", "bf16"})
      .aliases(dtype_aliases())
      .refuse("fp16", "it ends at 65504; use bf16");
  const ParamSchema schema = list.take();
  const ParamSpec& spec = schema.specs().front();
  for (const char* word : {"float32", "f32", "fp32"}) {
    EXPECT_EQ(parse_param(spec, plain(word)), ParamValue("fp32")) << word;
  }
  for (const char* word : {"bfloat16", "bf16"}) {
    EXPECT_EQ(parse_param(spec, plain(word)), ParamValue("bf16")) << word;
  }
  const auto error_of = [&spec](const char* word) -> std::string {
    try {
      (void)parse_param(spec, plain(word));
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  };
  for (const char* word : {"float16", "f16", "half", "fp16"}) {
    EXPECT_EQ(error_of(word), str("expected one of auto, fp32, bf16, not '",
                                  word, "': it ends at 65504; use bf16"));
  }
  EXPECT_THAT(error_of("bf61"), HasSubstr("did you mean 'bf16'?"));
}

TEST(RawFromText, ReadsWhatToTextWrites) {
  for (const ParamValue& value : std::vector<ParamValue>{
           true, std::int64_t{-3}, 0.1, 1e-300, std::string("a, [b]"),
           std::string("5"), std::string(""), std::string("true"), Integers{},
           Integers{1, -2}, Texts{"a", "b c", "1"}, Texts{""}}) {
    ParamSpec spec;
    spec.fallback = value;
    EXPECT_EQ(parse_param(spec, raw_from_text(to_string(value))), value)
        << to_string(value);
  }
}

TEST(Suggestion, NamesOnlyWhatIsNear) {
  const Texts known{"temperature", "top_k", "top_p"};
  EXPECT_EQ(suggestion("temprature", known), ", did you mean 'temperature'?");
  EXPECT_EQ(suggestion("banana", known), "");
  EXPECT_EQ(suggestion("", known), "");
  EXPECT_EQ(suggestion(std::string(100000, 'x'), known), "");
}

}  // namespace
}  // namespace penstock
