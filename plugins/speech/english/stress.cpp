#include "speech/english/stress.h"

#include <algorithm>

namespace penstock::speech {
namespace {

using View = std::u32string_view;

constexpr View kVowels = U"AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ";
constexpr View kConsonants = U"bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ";
constexpr View kLong = U"AIOQWYʤʧ";

bool has(View phonemes, char32_t c) { return phonemes.find(c) != View::npos; }

std::u32string replaced(View phonemes, char32_t from, char32_t to) {
  std::u32string out(phonemes);
  std::replace(out.begin(), out.end(), from, to);
  return out;
}

std::u32string without(View phonemes, char32_t mark) {
  std::u32string out(phonemes);
  std::erase(out, mark);
  return out;
}

/// The mark before the first vowel; without one, as they are.
std::u32string with_mark(View phonemes, char32_t mark) {
  std::u32string out(phonemes);
  const auto vowel = std::find_if(out.begin(), out.end(), is_vowel);
  if (vowel != out.end()) out.insert(vowel, mark);
  return out;
}

}  // namespace

bool is_vowel(char32_t c) { return has(kVowels, c); }
bool is_consonant(char32_t c) { return has(kConsonants, c); }

std::u32string stressed(View phonemes, std::optional<Stress> stress) {
  if (!stress) return std::u32string(phonemes);
  const bool has_primary = has(phonemes, kPrimary);
  const bool has_secondary = has(phonemes, kSecondary);
  const bool is_bare = !has_primary && !has_secondary;
  switch (*stress) {
    case Stress::kNone:
      return without(without(phonemes, kPrimary), kSecondary);
    case Stress::kLess:
    case Stress::kSome:
      if (has_primary) {
        return replaced(without(phonemes, kSecondary), kPrimary, kSecondary);
      }
      if (*stress == Stress::kSome && is_bare) {
        return with_mark(phonemes, kSecondary);
      }
      return std::u32string(phonemes);
    case Stress::kMore:
      return is_bare ? with_mark(phonemes, kSecondary)
                     : std::u32string(phonemes);
    case Stress::kFull:
      if (is_bare) return with_mark(phonemes, kPrimary);
      return has_primary ? std::u32string(phonemes)
                         : replaced(phonemes, kSecondary, kPrimary);
  }
  return std::u32string(phonemes);
}

int weight_of(View phonemes) {
  int out = 0;
  for (const char32_t c : phonemes) out += has(kLong, c) ? 2 : 1;
  return out;
}

}  // namespace penstock::speech
