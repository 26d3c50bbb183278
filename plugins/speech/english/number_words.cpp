#include "speech/english/number_words.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::speech {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 20> kSmall{
    "zero",    "one",     "two",       "three",    "four",
    "five",    "six",     "seven",     "eight",    "nine",
    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<Words, 10> kTens{"",       "",      "twenty", "thirty",
                                      "forty",  "fifty", "sixty",  "seventy",
                                      "eighty", "ninety"};
constexpr std::array<Words, 12> kPowers{
    "",           "thousand",    "million",     "billion",
    "trillion",   "quadrillion", "quintillion", "sextillion",
    "septillion", "octillion",   "nonillion",   "decillion"};
constexpr std::array<std::pair<Words, Words>, 7> kOddOrdinals{
    {{"one", "first"},
     {"two", "second"},
     {"three", "third"},
     {"five", "fifth"},
     {"eight", "eighth"},
     {"nine", "ninth"},
     {"twelve", "twelfth"}}};

std::string below_hundred(unsigned number) {
  if (number < kSmall.size()) return std::string(kSmall[number]);
  std::string out(kTens[number / 10]);
  if (number % 10 > 0) out.append("-").append(kSmall[number % 10]);
  return out;
}

std::string below_thousand(unsigned number) {
  if (number < 100) return below_hundred(number);
  std::string out(kSmall[number / 100]);
  out += " hundred";
  if (number % 100 > 0) out += " and " + below_hundred(number % 100);
  return out;
}

std::string digit_by_digit(const std::string& digits) {
  std::string out;
  for (const char digit : digits) {
    if (!out.empty()) out += ' ';
    out += kSmall.at(static_cast<std::size_t>(digit - '0'));
  }
  return out;
}

/// The digits without zeros before them: "0" at least.
std::string without_zeros(std::string digits) {
  const auto first = digits.find_first_not_of('0');
  if (first == digits.npos) return "0";
  digits.erase(0, first);
  return digits;
}

std::string ordinal_word(const std::string& word) {
  for (const auto& [from, to] : kOddOrdinals) {
    if (word == from) return std::string(to);
  }
  if (!word.empty() && word.back() == 'y') {
    return word.substr(0, word.size() - 1) + "ieth";
  }
  return word + "th";
}

}  // namespace

std::string cardinal(std::string digits) {
  digits = without_zeros(std::move(digits));
  if (digits.size() > 3 * kPowers.size()) return digit_by_digit(digits);
  std::string out;
  std::size_t begin = 0;
  while (begin < digits.size()) {
    const std::size_t left = digits.size() - begin;
    const std::size_t size = left % 3 == 0 ? 3 : left % 3;
    const auto group =
        static_cast<unsigned>(std::stoul(digits.substr(begin, size)));
    const std::size_t power = (left - size) / 3;
    begin += size;
    if (group == 0 && digits != "0") continue;
    // "one thousand and one", but "one thousand, one hundred".
    if (!out.empty()) out += power == 0 && group < 100 ? " and " : ", ";
    out += below_thousand(group);
    if (power > 0) out.append(" ").append(kPowers[power]);
  }
  return out;
}

std::string ordinal(const std::string& digits) {
  std::string words = cardinal(digits);
  const auto last = words.find_last_of(" -");
  const std::size_t begin = last == words.npos ? 0 : last + 1;
  const std::string word = ordinal_word(words.substr(begin));
  words.resize(begin);
  return words + word;
}

std::string year(const std::string& digits) {
  const auto number = static_cast<unsigned>(std::stoul(digits));
  const unsigned high = number / 100;
  const unsigned low = number % 100;
  // "two thousand and five", "one thousand"; nobody says "twenty hundred".
  if (high == 0 || high >= 100 || (high % 10 == 0 && low < 10)) {
    return cardinal(digits);
  }
  const std::string rest = low == 0   ? "hundred"
                           : low < 10 ? "oh-" + below_hundred(low)
                                      : below_hundred(low);
  return below_hundred(high) + " " + rest;
}

std::string decimal(const std::string& number) {
  const auto dot = number.find('.');
  std::string out = cardinal(dot == 0 ? "0" : number.substr(0, dot));
  if (dot == number.npos) return out;
  std::string behind = number.substr(dot + 1);
  behind.erase(behind.find_last_not_of('0') + 1);
  if (!behind.empty()) out += " point " + digit_by_digit(behind);
  return out;
}

}  // namespace penstock::speech
