// Numbers as words: what people say, the ends of ranges among them.
#include "speech/english/number_words.h"

#include <gtest/gtest.h>

namespace penstock::speech {
namespace {

TEST(Cardinal, NamesEveryKindOfNumber) {
  EXPECT_EQ(cardinal(std::string("0")), "zero");
  EXPECT_EQ(cardinal(std::string("007")), "seven");
  EXPECT_EQ(cardinal(std::string("20")), "twenty");
  EXPECT_EQ(cardinal(std::string("99")), "ninety-nine");
  EXPECT_EQ(cardinal(std::string("100")), "one hundred");
  EXPECT_EQ(cardinal(std::string("342")), "three hundred and forty-two");
  EXPECT_EQ(cardinal(std::string("1001")), "one thousand and one");
  EXPECT_EQ(cardinal(std::string("1100")), "one thousand, one hundred");
  EXPECT_EQ(cardinal(std::string("2000000")), "two million");
  EXPECT_EQ(cardinal(std::string("1000001000")), "one billion, one thousand");
}

TEST(Cardinal, ReadsDigitsWhereNoNameIsLeft) {
  EXPECT_EQ(cardinal("1" + std::string(35, '0')), "one hundred decillion");
  const std::string spoken = cardinal("12" + std::string(35, '0'));
  EXPECT_EQ(spoken.substr(0, 17), "one two zero zero");
}

TEST(Ordinal, ChangesTheLastWordAlone) {
  EXPECT_EQ(ordinal(std::string("1")), "first");
  EXPECT_EQ(ordinal(std::string("12")), "twelfth");
  EXPECT_EQ(ordinal(std::string("20")), "twentieth");
  EXPECT_EQ(ordinal(std::string("23")), "twenty-third");
  EXPECT_EQ(ordinal(std::string("101")), "one hundred and first");
  EXPECT_EQ(ordinal(std::string("1000")), "one thousandth");
}

TEST(Year, IsReadInTwoHalves) {
  EXPECT_EQ(year("1905"), "nineteen oh-five");
  EXPECT_EQ(year("1900"), "nineteen hundred");
  EXPECT_EQ(year("2005"), "two thousand and five");
  EXPECT_EQ(year("2010"), "twenty ten");
  EXPECT_EQ(year("0007"), "seven");
}

TEST(Decimal, DropsZerosAtItsEnd) {
  EXPECT_EQ(decimal("3.14"), "three point one four");
  EXPECT_EQ(decimal("2.500"), "two point five");
  EXPECT_EQ(decimal("2.0"), "two");
  EXPECT_EQ(decimal(".5"), "zero point five");
}

}  // namespace
}  // namespace penstock::speech
