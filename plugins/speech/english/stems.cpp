// Words with -s, -ed and -ing behind a stem that the lexicon knows.
#include <string_view>

#include "speech/english/characters.h"
#include "speech/english/lexicon.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

/// Vowels between which an American t is a tap.
constexpr View kBeforeTap = U"AIOWYiuæɑəɛɪɹʊʌ";

bool ends_in(View phonemes, View set) {
  return !phonemes.empty() && set.find(phonemes.back()) != View::npos;
}

/// A t behind a vowel, as in "waiting".
bool has_tap(View stem) {
  return stem.size() > 1 && stem.back() == U't' &&
         ends_in(stem.substr(0, stem.size() - 1), kBeforeTap);
}

/// "running" and "mimicking": -ing behind a letter that stands twice, or ck.
bool has_double(View word) {
  if (word.ends_with(U"cking")) return true;
  const char32_t last = word[word.size() - 4];
  return word.size() > 4 && word[word.size() - 5] == last &&
         View(U"bcdgklmnprstvxz").find(last) != View::npos;
}

}  // namespace

Phonemes Lexicon::stem(const Spoken& spoken, View stem) const {
  Spoken out = spoken;
  out.word = stem;
  return look_up(out);
}

Phonemes Lexicon::with_s(Phonemes stem) const {
  if (!stem || stem->empty()) return std::nullopt;
  if (ends_in(*stem, U"ptkfθ")) return *stem + U"s";
  if (ends_in(*stem, U"szʃʒʧʤ")) return *stem + (is_british_ ? U"ɪz" : U"ᵻz");
  return *stem + U"z";
}

Phonemes Lexicon::stem_s(const Spoken& spoken) const {
  const View word = spoken.word;
  if (word.size() < 3 || !word.ends_with(U's')) return std::nullopt;
  const View less_one = word.substr(0, word.size() - 1);
  const View less_two = word.substr(0, word.size() - 2);
  if (!word.ends_with(U"ss") && is_known(less_one)) {
    return with_s(stem(spoken, less_one));
  }
  const bool is_long = word.size() > 4;
  const bool is_ies = word.ends_with(U"ies");
  if ((word.ends_with(U"'s") ||
       (is_long && word.ends_with(U"es") && !is_ies)) &&
      is_known(less_two)) {
    return with_s(stem(spoken, less_two));
  }
  if (!is_long || !is_ies) return std::nullopt;
  const std::u32string with_y =
      std::u32string(word.substr(0, word.size() - 3)) + U"y";
  return is_known(with_y) ? with_s(stem(spoken, with_y)) : std::nullopt;
}

Phonemes Lexicon::with_ed(Phonemes stem) const {
  if (!stem || stem->empty()) return std::nullopt;
  if (ends_in(*stem, U"pkfθʃsʧ")) return *stem + U"t";
  if (ends_in(*stem, U"d")) return *stem + (is_british_ ? U"ɪd" : U"ᵻd");
  if (!ends_in(*stem, U"t")) return *stem + U"d";
  if (is_british_ || stem->size() < 2) return *stem + U"ɪd";
  if (has_tap(*stem)) return stem->substr(0, stem->size() - 1) + U"ɾᵻd";
  return *stem + U"ᵻd";
}

Phonemes Lexicon::stem_ed(const Spoken& spoken) const {
  const View word = spoken.word;
  if (word.size() < 4 || !word.ends_with(U'd')) return std::nullopt;
  const View less_one = word.substr(0, word.size() - 1);
  if (!word.ends_with(U"dd") && is_known(less_one)) {
    return with_ed(stem(spoken, less_one));
  }
  const View less_two = word.substr(0, word.size() - 2);
  if (word.size() > 4 && word.ends_with(U"ed") && !word.ends_with(U"eed") &&
      is_known(less_two)) {
    return with_ed(stem(spoken, less_two));
  }
  return std::nullopt;
}

Phonemes Lexicon::with_ing(Phonemes stem) const {
  if (!stem || stem->empty()) return std::nullopt;
  if (is_british_) {
    if (ends_in(*stem, U"əː")) return std::nullopt;
  } else if (has_tap(*stem)) {
    return stem->substr(0, stem->size() - 1) + U"ɾɪŋ";
  }
  return *stem + U"ɪŋ";
}

Phonemes Lexicon::stem_ing(const Spoken& spoken) const {
  const View word = spoken.word;
  if (word.size() < 5 || !word.ends_with(U"ing")) return std::nullopt;
  const View bare = word.substr(0, word.size() - 3);
  if (word.size() > 5 && is_known(bare)) return with_ing(stem(spoken, bare));
  const std::u32string with_e = std::u32string(bare) + U"e";
  if (is_known(with_e)) return with_ing(stem(spoken, with_e));
  const View single = word.substr(0, word.size() - 4);
  if (word.size() > 5 && has_double(word) && is_known(single)) {
    return with_ing(stem(spoken, single));
  }
  return std::nullopt;
}

}  // namespace penstock::speech
