// Ports: how they are written and when they fit.
#include "penstock/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "penstock/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Port, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"tokens: i64[T]", "pixels: f32[B,3,224,224]{rgb}",
        "sound: f32[80,T]{rate=16000}", "score: f32"}) {
    EXPECT_EQ(to_string(parse_port(text)), text);
  }
}

TEST(Port, OfBadFormIsRefused) {
  for (const std::string text :
       {"", "tokens", "tokens: [T]", ": i64[T]", "tokens: i64[T",
        "tokens: i64[T]{", "tokens: i64[,]", "tokens: i64[T*]"}) {
    EXPECT_THROW((void)parse_port(text), Error) << text;
  }
}

TEST(Port, HasDimsThatAreNumbers) {
  EXPECT_EQ(fixed_dim("224"), 224);
  EXPECT_EQ(fixed_dim("0"), 0);
  for (const char* dim : {"", "N", "...", "2x", "-1"}) {
    EXPECT_FALSE(fixed_dim(dim)) << dim;
  }
  // As a model file may say: no tensor is as long.
  EXPECT_EQ(fixed_dim("99999999999999999999"),
            std::numeric_limits<std::int64_t>::max());
}

TEST(Port, MayBeginWithTheBatch) {
  const Port pixels = parse_port("pixels: f32[B,3,H]");
  EXPECT_TRUE(has_batch_dim(pixels));
  EXPECT_THAT(own_dims(pixels), ElementsAre("3", "H"));
  EXPECT_THAT(own_dims(parse_port("s: f32[R]")), IsEmpty());
  const Port other = parse_port("x: f32[N,B]");
  EXPECT_FALSE(has_batch_dim(other));
  EXPECT_THAT(own_dims(other), ElementsAre("N", "B"));
  EXPECT_THAT(own_dims(parse_port("x: f32")), IsEmpty());
}

struct PortCase {
  std::string name;
  std::vector<std::string> given, wanted;
  std::string words;  ///< empty: they fit
};
void PrintTo(const PortCase& c, std::ostream* os) { *os << c.name; }

class Fit : public ::testing::TestWithParam<PortCase> {};

TEST_P(Fit, OrSayWhyNot) {
  const PortCase& c = GetParam();
  const auto parse = [](const std::vector<std::string>& texts) {
    std::vector<Port> ports;
    ports.reserve(texts.size());
    for (const auto& text : texts) ports.push_back(parse_port(text));
    return ports;
  };
  const auto problems = mismatches(parse(c.given), parse(c.wanted));
  if (c.words.empty()) {
    EXPECT_TRUE(problems.empty()) << problems.front();
  } else {
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems.front(), HasSubstr(c.words));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Fit,
    ::testing::ValuesIn<PortCase>({
        {"Same", {"x: f32[3,H]"}, {"x: f32[3,H]"}, ""},
        {"OtherSymbol", {"x: f32[N]"}, {"x: f32[T]"}, ""},
        {"LeadingB", {"x: f32[3,4]"}, {"x: f32[B,3,4]"}, ""},
        {"LeadingR", {"x: f32[R,V]"}, {"x: f32[V]"}, ""},
        {"NothingWanted", {"x: f32[3]"}, {}, ""},
        {"Missing", {"x: f32[3]"}, {"y: f32[3]"}, "y"},
        {"Dtype", {"x: f32[3]"}, {"x: f16[3]"}, "f16"},
        {"Rank", {"x: f32[3]"}, {"x: f32[3,4]"}, "[3,4]"},
        {"Number", {"x: f32[3]"}, {"x: f32[4]"}, "4"},
        {"NumberForSymbol", {"x: f32[3]"}, {"x: f32[C]"}, ""},
        {"SymbolsBindOnce",
         {"x: f32[3]", "y: f32[4]"},
         {"x: f32[C]", "y: f32[C]"},
         "C"},
        {"Fact", {"x: f32[3]{rgb}"}, {"x: f32[3]{rgb}"}, ""},
        {"OtherFact",
         {"x: f32[3]{rate=8000}"},
         {"x: f32[3]{rate=16000}"},
         "16000"},
        {"FactMissing", {"x: f32[3]"}, {"x: f32[3]{rgb}"}, "rgb"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock
