// Numbers as the lexicon's words: years, sums of money, decades, digits one by
// one.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "speech/english/characters.h"
#include "speech/english/lexicon.h"
#include "speech/english/number_words.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

/// Of ASCII.
std::string ascii(View text) { return {text.begin(), text.end()}; }

bool is_ordinal_end(View end) {
  return end == U"st" || end == U"nd" || end == U"rd" || end == U"th";
}

std::vector<View> parts_of(View text, char32_t separator) {
  std::vector<View> out;
  while (true) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

/// Fewer than three digits behind the dot, if there is one.
bool is_sum(View word) {
  const auto parts = parts_of(word, U'.');
  return parts.size() == 1 || (parts.size() == 2 && parts[1].size() < 3);
}

std::u32string without_commas(View word) {
  std::u32string out(word);
  std::erase(out, U',');
  return out;
}

}  // namespace

/// Gathers the words of one number.
class NumberReader {
 public:
  explicit NumberReader(const Lexicon& lexicon) : lexicon_(lexicon) {}

  void read(View word, View end, char32_t currency, bool is_head);
  [[nodiscard]] Phonemes take() const {
    return has_word_ ? Phonemes(out_) : std::nullopt;
  }

 private:
  void add(const Phonemes& phonemes);
  /// The words of a text, without "and" and the marks between them.
  void add_words(const std::string& text);
  void add_number(View digits) { add_words(cardinal(ascii(digits))); }
  void add_digits(View digits) {
    for (std::size_t i = 0; i < digits.size(); ++i) {
      add_number(digits.substr(i, 1));
    }
  }
  void add_code(View word);
  void add_version(View word);
  void add_money(View word, char32_t currency);
  void add_plain(View word, View end);

  const Lexicon& lexicon_;
  std::u32string out_;
  bool has_word_ = false;
};

void NumberReader::add(const Phonemes& phonemes) {
  if (!phonemes) return;
  if (has_word_) out_ += U' ';
  out_ += *phonemes;
  has_word_ = true;
}

void NumberReader::add_words(const std::string& text) {
  std::u32string word;
  for (const char c : text + " ") {
    if (c >= 'a' && c <= 'z') {
      word += static_cast<char32_t>(c);
      continue;
    }
    if (!word.empty() && word != U"and") {
      const bool is_point = word == U"point";
      add(lexicon_.look_up(
          word, is_point ? std::optional(Stress::kNone) : std::nullopt));
    }
    word.clear();
  }
}

/// Digits within a word: "B52", "R2D2", "room 101".
void NumberReader::add_code(View word) {
  const std::u32string digits = without_commas(word);
  const View all = digits;
  if (all.empty()) return;
  if (all[0] == U'0' || all.size() > 3) return add_digits(all);
  if (all.size() < 3 || all.ends_with(U"00")) return add_number(all);
  add_number(all.substr(0, 1));
  if (all[1] == U'0') {
    add(lexicon_.look_up(U"O", Stress::kNone));
    add_number(all.substr(2));
  } else {
    add_number(all.substr(1));
  }
}

/// "1.2.3", part by part.
void NumberReader::add_version(View word) {
  const std::u32string without = without_commas(word);
  for (const View part : parts_of(without, U'.')) {
    if (part.empty()) continue;
    const bool is_round = part.find_first_not_of(U'0', 1) == part.npos;
    if (part[0] == U'0' || (part.size() != 2 && !is_round)) {
      add_digits(part);
    } else {
      add_number(part);
    }
  }
}

void NumberReader::add_money(View word, char32_t currency) {
  const auto [unit, hundredth] = units_of(currency);
  const std::u32string without = without_commas(word);
  const auto parts = parts_of(without, U'.');
  const auto is_zero = [](View digits) {
    return digits.find_first_not_of(U'0') == digits.npos;
  };
  const auto add_part = [&](View digits, View name) {
    add_number(digits.empty() ? View(U"0") : digits);
    const bool is_one = !digits.empty() && cardinal(ascii(digits)) == "one";
    const bool has_s = !is_one && name != U"pence";
    add(has_s ? lexicon_.with_s(lexicon_.look_up(name))
              : lexicon_.look_up(name));
  };
  const bool has_part = parts.size() > 1 && !is_zero(parts[1]);
  const bool has_whole = !has_part || !is_zero(parts[0]);
  if (has_whole) add_part(parts[0], unit);
  if (has_whole && has_part) add(lexicon_.look_up(U"and"));
  if (has_part) add_part(parts[1], hundredth);
}

void NumberReader::add_plain(View word, View end) {
  const std::u32string without = without_commas(word);
  const View digits = without;
  if (digits.find(U'.') == digits.npos) {
    const bool is_ordinal = is_ordinal_end(end);
    add_words(is_ordinal ? ordinal(ascii(digits)) : cardinal(ascii(digits)));
  } else if (digits.starts_with(U'.')) {
    add_words("point");
    add_digits(digits.substr(1));
  } else {
    add_words(decimal(ascii(digits)));
  }
}

void NumberReader::read(View word, View end, char32_t currency, bool is_head) {
  const bool is_negative = word.starts_with(U'-');
  if (is_negative) {
    add(lexicon_.look_up(U"minus"));
    word.remove_prefix(1);
  }
  const bool is_money = !units_of(currency).first.empty();
  const auto dots = std::count(word.begin(), word.end(), U'.');
  if (all_digits(word) && is_ordinal_end(end)) {
    add_words(ordinal(ascii(word)));
  } else if (!is_negative && word.size() == 4 && !is_money &&
             all_digits(word)) {
    add_words(year(ascii(word)));
  } else if (!is_head && dots == 0) {
    add_code(word);
  } else if (!is_head || dots > 1) {
    add_version(word);
  } else if (is_money && is_sum(word)) {
    add_money(word, currency);
  } else {
    add_plain(word, end);
  }
}

Phonemes Lexicon::number(View word, char32_t currency, bool is_head) const {
  const auto is_of_end = [](char32_t c) {
    return (c >= U'a' && c <= U'z') || c == U'\'';
  };
  std::size_t size = word.size();
  while (size > 0 && is_of_end(word[size - 1])) --size;
  const View end = word.substr(size);
  NumberReader reader(*this);
  reader.read(word.substr(0, size), end, currency, is_head);
  const Phonemes out = reader.take();
  if (end == U"s" || end == U"'s") return with_s(out);
  if (end == U"ed" || end == U"'d") return with_ed(out);
  if (end == U"ing") return with_ing(out);
  return out;
}

}  // namespace penstock::speech
