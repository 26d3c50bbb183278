#include "speech/english/lexicon.h"

#include <algorithm>
#include <array>

#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

/// The name of a sign that may stand for a word.
View name_of_sign(View sign) {
  if (sign == U"%") return U"percent";
  if (sign == U"&") return U"and";
  if (sign == U"+") return U"plus";
  if (sign == U"@") return U"at";
  return {};
}

bool is_one_of(View word, std::initializer_list<View> forms) {
  return std::find(forms.begin(), forms.end(), word) != forms.end();
}

/// "U.S.", "e.g": parts of one or two letters with dots between them.
bool is_dotted(View word) {
  View inner = word;
  while (inner.starts_with(U'.')) inner.remove_prefix(1);
  while (inner.ends_with(U'.')) inner.remove_suffix(1);
  if (inner.find(U'.') == View::npos) return false;
  std::size_t part = 0;
  for (const char32_t c : word) {
    if (c != U'.' && !is_alpha(c)) return false;
    part = c == U'.' ? 0 : part + 1;
    if (part > 2) return false;
  }
  return true;
}

bool is_ascii_word(View word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char32_t c) {
    return (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z');
  });
}

bool is_number(View word, bool is_head) {
  if (std::none_of(word.begin(), word.end(), is_ascii_digit)) return false;
  constexpr std::array<View, 9> kEnds{U"ing", U"'d", U"ed", U"'s", U"st",
                                      U"nd",  U"rd", U"th", U"s"};
  for (const View end : kEnds) {
    if (!word.ends_with(end)) continue;
    word.remove_suffix(end.size());
    break;
  }
  if (is_head && word.starts_with(U'-')) word.remove_prefix(1);
  return std::all_of(word.begin(), word.end(), [](char32_t c) {
    return is_ascii_digit(c) || c == U',' || c == U'.';
  });
}

}  // namespace

std::pair<View, View> units_of(char32_t currency) {
  switch (currency) {
    case U'$':
      return {U"dollar", U"cent"};
    case U'£':
      return {U"pound", U"pence"};
    case U'€':
      return {U"euro", U"cent"};
    default:
      return {};
  }
}

Phonemes Lexicon::usual(View word) const {
  const Readings* found = good_.find(word);
  if (found == nullptr || found->usual.empty()) return std::nullopt;
  return points_of(found->usual);
}

Phonemes Lexicon::spelled(View word) const {
  std::u32string out;
  for (const char32_t c : word) {
    if (!is_alpha(c)) continue;
    const Phonemes letter = usual(raised(View(&c, 1)));
    if (!letter) return std::nullopt;
    out += *letter;
  }
  // The last letter is the loudest.
  out = stressed(out, Stress::kSome);
  const auto last = out.rfind(kSecondary);
  if (last != out.npos) out[last] = kPrimary;
  return out;
}

bool Lexicon::is_known(View word) const {
  if (good_.has(word) || !name_of_sign(word).empty() || fair_.has(word)) {
    return true;
  }
  if (!is_ascii_word(word)) return false;
  if (word.size() == 1) return true;
  if (word == raised(word) && good_.has(lowered(word))) return true;
  return word.substr(1) == raised(word.substr(1));
}

Phonemes Lexicon::look_up(View word, std::optional<Stress> stress) const {
  return look_up({.word = word, .tag = "", .stress = stress});
}

Phonemes Lexicon::look_up(Spoken spoken) const {
  std::u32string small;
  bool is_name = false;
  if (spoken.word == raised(spoken.word) && !good_.has(spoken.word)) {
    small = lowered(spoken.word);
    spoken.word = small;
    is_name = spoken.tag == "NNP";
  }
  const Readings* found = good_.find(spoken.word);
  if (found == nullptr && !is_name) found = fair_.find(spoken.word);
  Phonemes out;
  if (found != nullptr) {
    const Following* following = spoken.following;
    out = found->of(spoken.tag,
                    following != nullptr && !following->is_vowel.has_value());
  }
  if (!out || (is_name && out->find(kPrimary) == out->npos)) {
    if (Phonemes letters = spelled(spoken.word)) return letters;
  }
  if (!out) return out;
  return stressed(*out, spoken.stress);
}

/// Words whose sound hangs on their neighbours.
Phonemes Lexicon::little_word(const Spoken& spoken) const {
  const View word = spoken.word;
  const std::string& tag = spoken.tag;
  const std::optional<bool> vowel = spoken.following->is_vowel;
  if (is_one_of(word, {U"a", U"A"})) return tag == "DT" ? U"ɐ" : U"ˈA";
  if (is_one_of(word, {U"am", U"Am", U"AM"})) {
    if (tag.starts_with("NN")) return spelled(word);
    const bool is_weak = vowel && word == U"am" &&
                         spoken.stress.value_or(Stress::kNone) < Stress::kMore;
    return is_weak ? U"ɐm" : usual(U"am");
  }
  if (is_one_of(word, {U"an", U"An", U"AN"})) {
    const bool is_letters = word == U"AN" && tag.starts_with("NN");
    return is_letters ? spelled(word) : U"ɐn";
  }
  if (word == U"I" && tag == "PRP") return U"ˌI";
  if (is_one_of(word, {U"by", U"By", U"BY"}) && kind_of_tag(tag) == "ADV") {
    return U"bˈI";
  }
  if (is_one_of(word, {U"to", U"To"}) ||
      (word == U"TO" && (tag == "TO" || tag == "IN"))) {
    if (!vowel) return usual(U"to");
    return *vowel ? U"tʊ" : U"tə";
  }
  if (is_one_of(word, {U"in", U"In"}) || (word == U"IN" && tag != "NNP")) {
    return !vowel || tag != "IN" ? U"ˈɪn" : U"ɪn";
  }
  if (is_one_of(word, {U"the", U"The"}) || (word == U"THE" && tag == "DT")) {
    return vowel.value_or(false) ? U"ði" : U"ðə";
  }
  return std::nullopt;
}

Phonemes Lexicon::special(const Spoken& spoken) const {
  const View word = spoken.word;
  Spoken named{.word = {}, .tag = "", .following = spoken.following};
  if (spoken.tag == "ADD" && (word == U"." || word == U"/")) {
    named.word = word == U"." ? U"dot" : U"slash";
    named.stress = Stress::kLess;
    return look_up(named);
  }
  named.word = name_of_sign(word);
  if (!named.word.empty()) return look_up(named);
  if (is_dotted(word)) return spelled(word);
  if (Phonemes little = little_word(spoken)) return little;
  const std::u32string small = lowered(word);
  if (spoken.tag == "IN" && (small == U"vs" || small == U"vs.")) {
    named.word = U"versus";
    return look_up(named);
  }
  if (!is_one_of(word, {U"used", U"Used", U"USED"})) return std::nullopt;
  const Readings* used = good_.find(U"used");
  if (used == nullptr) return std::nullopt;
  const bool is_habit =
      spoken.following->is_to && (spoken.tag == "VBD" || spoken.tag == "JJ");
  return used->of(is_habit ? "VBD" : "", /*is_before_pause=*/false);
}

bool Lexicon::is_ordinary(const Spoken& spoken, View small) const {
  std::u32string letters(spoken.word);
  std::erase(letters, U'\'');
  const View word = spoken.word;
  if (word.size() < 2 || !all_alpha(letters) || word == small) return false;
  if (spoken.tag == "NNP" && word.size() <= 7) return false;
  if (good_.has(word) || fair_.has(word)) return false;
  if (word != raised(word) && word.substr(1) != lowered(word.substr(1))) {
    return false;
  }
  if (good_.has(small) || fair_.has(small)) return true;
  Spoken other = spoken;
  other.word = small;
  return stem_s(other) || stem_ed(other) || stem_ing(other);
}

Phonemes Lexicon::word(const Spoken& given) const {
  if (Phonemes out = special(given)) return out;
  Spoken spoken = given;
  const std::u32string small = lowered(given.word);
  if (is_ordinary(given, small)) spoken.word = small;
  const View word = spoken.word;
  if (is_known(word)) return look_up(spoken);
  if (word.ends_with(U"s'")) {
    const std::u32string own =
        std::u32string(word.substr(0, word.size() - 2)) + U"'s";
    if (is_known(own)) {
      spoken.word = own;
      return look_up(spoken);
    }
  }
  if (word.ends_with(U'\'') && is_known(word.substr(0, word.size() - 1))) {
    spoken.word = word.substr(0, word.size() - 1);
    return look_up(spoken);
  }
  if (Phonemes out = stem_s(spoken)) return out;
  if (Phonemes out = stem_ed(spoken)) return out;
  if (!spoken.stress) spoken.stress = Stress::kMore;
  return stem_ing(spoken);
}

Phonemes Lexicon::operator()(const Token& token,
                             const Following& following) const {
  std::u32string text = token.alias.value_or(token.text);
  std::replace_if(
      text.begin(), text.end(),
      [](char32_t c) { return c == U'‘' || c == U'’'; }, U'\'');
  text = plain(text);
  Spoken spoken{.word = text, .tag = token.tag, .following = &following};
  if (text != lowered(text)) {
    spoken.stress = text == raised(text) ? Stress::kFull : Stress::kMore;
  }
  if (Phonemes out = word(spoken)) {
    const auto unit = units_of(token.currency).first;
    if (unit.empty()) return out;
    const Phonemes several = with_s(look_up(unit));
    return several ? *out + U" " + *several : out;
  }
  if (!is_number(text, token.is_head)) return std::nullopt;
  return number(text, token.currency, token.is_head);
}

}  // namespace penstock::speech
