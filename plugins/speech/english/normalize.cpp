#include "speech/english/normalize.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "penstock/error.h"
#include "speech/english/number_words.h"
#include "speech/english/pattern.h"

namespace penstock::speech {
namespace {

const std::string kNumber = R"(\d+(?:,\d{3})*(?:\.\d+)?)";
const std::string kScale =
    R"((hundred|thousand|million|billion|trillion|[kKmMbB]\b))";
constexpr std::array<const char*, 11> kParts{
    "",      "",        "half",   "third", "quarter", "fifth",
    "sixth", "seventh", "eighth", "ninth", "tenth"};

std::vector<std::string> keys_of(const WordTables::Pairs& pairs) {
  std::vector<std::string> out;
  out.reserve(pairs.size());
  for (const auto& [key, value] : pairs) out.push_back(key);
  return out;
}

std::vector<std::string> keys_of(const WordTables::Forms& forms) {
  std::vector<std::string> out;
  out.reserve(forms.size());
  for (const auto& [key, value] : forms) out.push_back(key);
  return out;
}

std::string value_of(const WordTables::Pairs& pairs, const std::string& key) {
  for (const auto& [each, value] : pairs) {
    if (each == key) return value;
  }
  return key;
}

/// "mile" behind 1, else "miles".
std::string form_for(std::string number,
                     const std::pair<std::string, std::string>& forms) {
  std::erase(number, ',');
  const bool is_one = number == "1" || number == "1.0" || number == "-1";
  return is_one ? forms.first : forms.second;
}

std::string power_of(const std::string& scale) {
  if (scale == "k" || scale == "K") return "thousand";
  if (scale == "m" || scale == "M") return "million";
  if (scale == "b" || scale == "B") return "billion";
  return scale;
}

int roman_value(const std::string& digits) {
  const auto value = [](char c) {
    switch (c) {
      case 'I':
        return 1;
      case 'V':
        return 5;
      case 'X':
        return 10;
      case 'L':
        return 50;
      case 'C':
        return 100;
      case 'D':
        return 500;
      default:
        return 1000;
    }
  };
  int total = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int one = value(digits[i]);
    const bool is_taken = i + 1 < digits.size() && value(digits[i + 1]) > one;
    total += is_taken ? -one : one;
  }
  return total;
}

/// "5:07 pm" as "five oh seven P.M."
std::string spoken_time(const Found& found) {
  const int hour = found.number(1);
  const int minute = found.number(2);
  const bool has_seconds = found.has(3);
  const bool is_half_day = found.has(4);
  const int second = has_seconds ? found.number(3) : 0;
  if (hour > 24 || minute > 59 || second > 59) return found.group(0);
  std::string out = cardinal(hour);
  if (minute > 0) {
    out += (minute < 10 ? " oh " : " ") + cardinal(minute);
  } else if (!is_half_day && !has_seconds) {
    out += " o'clock";
  }
  if (has_seconds) {
    out += " and " + cardinal(second) + (second == 1 ? " second" : " seconds");
  }
  if (is_half_day) {
    // With its dots the lexicon spells it, letter by letter.
    const bool is_morning = found.group(4) == "a" || found.group(4) == "A";
    out += is_morning ? " A.M" : " P.M";
    if (!found.is_before(u'.')) out += '.';
  }
  return out;
}

}  // namespace

struct Normalizer::Rules {
  struct Rule {
    Pattern pattern;
    std::function<std::string(const Found&)> make;
  };

  explicit Rules(const WordTables& given) : tables(given) {
    add_times();
    add_money();
    add_units();
    add_days();
    add_abbreviations();
    add_numbers();
    add_symbols();
  }

  void add(const std::string& pattern,
           std::function<std::string(const Found&)> make) {
    rules.push_back({Pattern(pattern), std::move(make)});
  }
  void add_times();
  void add_money();
  void add_units();
  void add_days();
  void add_abbreviations();
  void add_numbers();
  void add_symbols();
  /// "March third, 2024"; nothing: there is no such day.
  [[nodiscard]] std::optional<std::string> date(int year, int month,
                                                int day) const;
  [[nodiscard]] std::string month(const std::string& said) const;
  [[nodiscard]] std::string fraction(const Found& found) const;

  WordTables tables;
  std::vector<Rule> rules;
  Pattern blanks{R"(\s+)"};
  Pattern blank_before_mark{" +([,.;:!?])"};
};

std::optional<std::string> Normalizer::Rules::date(int year, int month,
                                                   int day) const {
  if (month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  std::string out = tables.months[static_cast<std::size_t>(month - 1)].second +
                    " " + ordinal(day);
  if (year >= 0) {
    const std::string digits = std::to_string(year);
    out += ", " + std::string(4 - std::min<std::size_t>(4, digits.size()), '0');
    out += digits;
  }
  return out;
}

std::string Normalizer::Rules::month(const std::string& said) const {
  std::string key = said.substr(0, 3);
  for (char& c : key) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return value_of(tables.months, key);
}

void Normalizer::Rules::add_times() {
  add(R"(\b(\d{1,2}):(\d{2})(?::(\d{2}))?)"
      R"((?:\s?([AaPp])\.?[Mm]\.?(?![A-Za-z]))?(?!\d))",
      spoken_time);
  add(R"(\b(\d{4})-(\d{2})-(\d{2})\b)", [this](const Found& found) {
    return date(found.number(1), found.number(2), found.number(3))
        .value_or(found.group(0));
  });
  add(R"(\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b)", [this](const Found& found) {
    const int first = found.number(1);
    const int second = found.number(2);
    int year = found.number(3);
    if (found.group(3).size() == 2) year += year > 30 ? 1900 : 2000;
    // As in America, unless there is no such month.
    return (first <= 12 ? date(year, first, second) : date(year, second, first))
        .value_or(found.group(0));
  });
}

void Normalizer::Rules::add_money() {
  add("([$£€])(" + kNumber + R"()\s?)" + kScale, [this](const Found& found) {
    return found.group(2) + " " + power_of(found.group(3)) + " " +
           tables.currencies.at(found.group(1)).second;
  });
  add(R"((?<![\w.])()" + kNumber + R"()\s?¢)", [this](const Found& found) {
    return found.group(1) + " " +
           form_for(found.group(1), tables.currencies.at("¢"));
  });
  add(R"((?<!\w)([¥₹₩]|Rs\.?|USD|EUR|GBP)\s?()" + kNumber + R"()(?:\s?)" +
          kScale + ")?",
      [this](const Found& found) {
        std::string sign = found.group(1);
        if (sign.back() == '.') sign.pop_back();
        const auto& forms = tables.currencies.at(sign);
        const std::string number = found.group(2);
        if (!found.has(3)) return number + " " + form_for(number, forms);
        return number + " " + power_of(found.group(3)) + " " + forms.second;
      });
}

void Normalizer::Rules::add_units() {
  add(R"((?<![\w.])(-?)" + kNumber + R"()\s?°\s?([CF])?(?!\w))",
      [](const Found& found) {
        const std::string scale = found.group(2);
        return found.group(1) + " " +
               form_for(found.group(1), {"degree", "degrees"}) +
               (scale == "C"   ? " Celsius"
                : scale == "F" ? " Fahrenheit"
                               : "");
      });
  add(R"((?<![\w.])(-?)" + kNumber + R"()\s?()" +
          any_of_words(keys_of(tables.units)) + R"()(?!\w))",
      [this](const Found& found) {
        return found.group(1) + " " +
               form_for(found.group(1), tables.units.at(found.group(2)));
      });
}

void Normalizer::Rules::add_days() {
  std::vector<std::string> names{"Sept"};
  for (const auto& [brief, name] : tables.months) {
    names.push_back(name);
    names.push_back(name.substr(0, 3));
  }
  const std::string months = any_of_words(names);
  add(R"(\b()" + months + R"()\.? (\d{1,2})(?:st|nd|rd|th)?\b)" +
          R"((?![\d:%])(,? \d{4}\b)?)",
      [this](const Found& found) {
        const int day = found.number(2);
        if (day < 1 || day > 31) return found.group(0);
        return month(found.group(1)) + " " + ordinal(day) + found.group(3);
      });
  add(R"(\b(?:the )?(\d{1,2}) (?:of )?()" + months + R"()\b\.?)",
      [this](const Found& found) {
        const int day = found.number(1);
        if (day < 1 || day > 31) return found.group(0);
        return "the " + ordinal(day) + " of " + month(found.group(2));
      });
}

void Normalizer::Rules::add_abbreviations() {
  add(R"(\b()" + any_of_words(keys_of(tables.titles)) + R"()\.? (?=[A-Z]))",
      [this](const Found& found) {
        return value_of(tables.titles, found.group(1)) + " ";
      });
  add(R"((?<![\w.])()" + any_of_words(keys_of(tables.abbreviations)) +
          R"()(?!\w))",
      [this](const Found& found) {
        const std::string said = found.group(1);
        // Its dot ended the sentence as well.
        const bool is_end = found.is_at_end() && said.back() == '.';
        return value_of(tables.abbreviations, said) + (is_end ? "." : "");
      });
  add(R"(\b(No|Nos)\. ?(?=\d))", [](const Found& found) -> std::string {
    return found.group(1) == "No" ? "Number " : "Numbers ";
  });
  add(R"((?<![\w&])#(?=\d))",
      [](const Found& /*found*/) -> std::string { return "number "; });
}

void Normalizer::Rules::add_numbers() {
  const std::string roman =
      "((?=[IVXLC])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})"
      R"((?:IX|IV|V?I{0,3}))\b(?![.'’]\w))";
  add(R"(\b()" + any_of_words(tables.roman_cardinal) + ") " + roman,
      [](const Found& found) {
        return found.group(1) + " " +
               std::to_string(roman_value(found.group(2)));
      });
  add(R"(\b()" + any_of_words(tables.roman_ordinal) + ") " + roman,
      [](const Found& found) {
        return found.group(1) + " the " + ordinal(roman_value(found.group(2)));
      });
  add(R"((?<![\w.\-])(?:\d{3}-)?\d{3}-\d{4}(?![\w.\-]))",
      [](const Found& found) {
        std::string out;
        for (const char c : found.group(0)) {
          if (!out.empty()) out += ' ';
          out += c == '-' ? std::string(",  ") : std::string(1, c);
        }
        return out;
      });
  add(R"((?<![\w./])(\d{1,2})/(\d{1,2})(?![\w./]))",
      [this](const Found& found) { return fraction(found); });
  add(R"((?<![\w.\-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\w.\-%]))",
      [](const Found& found) {
        return found.group(1) + " to " + found.group(2);
      });
  add(R"((?<![\w+])\+(?=\d))",
      [](const Found& /*found*/) -> std::string { return "plus "; });
}

std::string Normalizer::Rules::fraction(const Found& found) const {
  const int above = found.number(1);
  const int below = found.number(2);
  const std::string count = std::to_string(above);
  if (above > 0 && above < below && below <= 10) {
    if (below == 2) return "one half";
    return count + " " + kParts.at(static_cast<std::size_t>(below)) +
           (above == 1 ? "" : "s");
  }
  if (const auto day = date(-1, above, below)) return *day;
  return count + " slash " + std::to_string(below);
}

/// Signs that compare stand between two things; others anywhere.
void Normalizer::Rules::add_symbols() {
  for (const auto& [sign, word] : tables.symbols) {
    const bool is_between = std::string("=<>~").find(sign) != std::string::npos;
    const std::string escaped = any_of_words({sign});
    const std::string spoken = word.empty() ? " " : " " + word + " ";
    add(is_between ? R"((?<=\S) ?)" + escaped + R"( ?(?=\S))" : escaped,
        [spoken](const Found& /*found*/) { return spoken; });
  }
}

Normalizer::Normalizer(const WordTables& tables)
    : rules_(std::make_unique<Rules>(tables)) {}
Normalizer::~Normalizer() = default;
Normalizer::Normalizer(Normalizer&&) noexcept = default;
Normalizer& Normalizer::operator=(Normalizer&&) noexcept = default;

std::u32string Normalizer::operator()(std::u32string_view text) const {
  const auto space = [](const Found& /*found*/) { return std::string(" "); };
  icu::UnicodeString now = rules_->blanks.replaced(unicode_of(text), space);
  now.trim();
  now.findAndReplace(u"’", u"'");
  now.findAndReplace(u"‒", u"-");
  now.findAndReplace(u"―", u"—");
  for (const Rules::Rule& rule : rules_->rules) {
    now = rule.pattern.replaced(now, rule.make);
  }
  now = rules_->blank_before_mark.replaced(
      rules_->blanks.replaced(now, space),
      [](const Found& found) { return found.group(1); });
  return points_of(now.trim());
}

}  // namespace penstock::speech
