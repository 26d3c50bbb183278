#include "speech/english/pronounce.h"

#include <algorithm>
#include <utility>

#include "speech/english/characters.h"
#include "speech/english/stress.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

constexpr View kPauses = U";:,.!?—…";
constexpr View kSilent = U"',-._‘’/";

bool is_silent(View text) {
  return text.find_first_not_of(kSilent) == text.npos;
}

bool is_pause(View text) {
  return text.size() == 1 && kPauses.find(text[0]) != kPauses.npos;
}

/// How a sign alone is read.
View name_of(char32_t sign) {
  switch (sign) {
    case U'/':
      return U"slˈæʃ";
    case U'=':
      return U"ˈikwᵊlz";
    case U'+':
      return U"plˈʌs";
    case U'&':
      return U"ænd";
    case U'@':
      return U"æt";
    case U'%':
      return U"pəɹsˈɛnt";
    case U'#':
      return U"hˈæʃ";
    case U'*':
      return U"ˈæstəɹˌɪsk";
    case U'~':
      return U"tˈɪldə";
    case U'^':
      return U"kˈɛɹət";
    case U'<':
      return U"lˈɛs ðən";
    case U'>':
      return U"ɡɹˈATəɹ ðən";
    case U'—':
      return U"—";
    default:
      return {};
  }
}

/// What a word tells the one before it.
Following before(const Following& now, View phonemes, const Token& token) {
  Following out;
  out.is_vowel = now.is_vowel;
  for (const char32_t c : phonemes) {
    const bool is_stop = kPauses.find(c) != kPauses.npos;
    if (!is_stop && !is_vowel(c) && !is_consonant(c)) continue;
    out.is_vowel = is_stop ? std::nullopt : std::optional(is_vowel(c));
    break;
  }
  out.is_to = token.text == U"to" || token.text == U"To" ||
              (token.text == U"TO" && (token.tag == "TO" || token.tag == "IN"));
  return out;
}

/// Whether a word's parts are of several kinds: letters, digits, others.
bool is_mixed(const Word& word) {
  unsigned kinds = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i].has_blank && i + 1 < word.size()) return true;
    for (const char32_t c : word[i].text) {
      if (c == U' ' || c == U'/') return true;
      if (kSilent.find(c) != kSilent.npos) continue;
      kinds |= is_alpha(c) ? 1U : is_ascii_digit(c) ? 2U : 4U;
    }
  }
  return (kinds & (kinds - 1)) != 0;
}

/// Of several stressed parts the lighter half gives way: "iPhone", "NASDAQ".
void balance(Word& word) {
  struct Part {
    bool is_primary;
    int weight;
    std::size_t at;
    auto operator<=>(const Part&) const = default;
  };
  std::vector<Part> parts;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto& phonemes = word[i].phonemes;
    if (!phonemes || phonemes->empty()) continue;
    parts.push_back(
        {phonemes->find(kPrimary) != phonemes->npos, weight_of(*phonemes), i});
  }
  const auto weaken = [&word](std::size_t at) {
    word[at].phonemes = stressed(*word[at].phonemes, Stress::kLess);
  };
  if (parts.size() == 2 && word[parts[0].at].text.size() == 1) {
    return weaken(parts[1].at);
  }
  const auto loud = static_cast<std::size_t>(
      std::count_if(parts.begin(), parts.end(),
                    [](const Part& part) { return part.is_primary; }));
  if (parts.size() < 2 || loud <= (parts.size() + 1) / 2) return;
  std::sort(parts.begin(), parts.end());
  for (std::size_t i = 0; i < parts.size() / 2; ++i) weaken(parts[i].at);
}

/// Signs within a word are silent, and its parts agree on their stress.
void settle(Word& word) {
  const bool is_apart = is_mixed(word);
  for (std::size_t i = 0; i < word.size(); ++i) {
    Token& part = word[i];
    if (part.phonemes) {
      if (i > 0) part.is_apart = is_apart;
    } else if (i + 1 == word.size() && is_pause(part.text)) {
      part.phonemes = part.text;
    } else if (is_silent(part.text)) {
      part.phonemes = U"";
    }
  }
  if (!is_apart) balance(word);
}

void give_first(Word& word, std::size_t first, std::size_t last,
                std::u32string phonemes) {
  word[first].phonemes = std::move(phonemes);
  for (std::size_t i = first + 1; i < last; ++i) word[i].phonemes = U"";
}

bool has_phonemes(const Word& word, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    if (word[i].phonemes || word[i].alias) return true;
  }
  return false;
}

std::u32string sound_of(const Word& word) {
  std::u32string out;
  for (const Token& part : word) {
    const std::u32string phonemes = part.phonemes.value_or(U"");
    if (part.is_apart && !out.empty() && !is_blank(out.back()) &&
        !phonemes.empty()) {
      out += U' ';
    }
    out += phonemes;
  }
  // The model's alphabet has no tap and no glottal stop.
  std::replace(out.begin(), out.end(), U'ɾ', U'T');
  std::replace(out.begin(), out.end(), U'ʔ', U't');
  return out;
}

bool has_letters(const Word& word) {
  return std::any_of(word.begin(), word.end(), [](const Token& part) {
    return std::any_of(part.text.begin(), part.text.end(), is_alpha);
  });
}

}  // namespace

English::English(EnglishParts parts)
    : parts_(std::move(parts)),
      link_(R"(\[([^\]]+)\]\(([^\)]*)\))"),
      piece_(R"([\p{L}\p{Nl}\p{No}]+(?:['’][\p{L}\p{Nl}\p{No}]+)*)"
             R"(|\d+(?:[,.]\d+)*|[^\p{L}\p{N}_\s]+)") {}

void English::add_tokens(View text, std::vector<Token>& out) const {
  std::vector<Token> made = parts_.tokenizer(text);
  parts_.tagger.tag(made);
  std::move(made.begin(), made.end(), std::back_inserter(out));
}

std::vector<Token> English::tokens_of(const std::u32string& text) const {
  const icu::UnicodeString all = unicode_of(text);
  std::vector<Token> out;
  int done = 0;
  link_.each(all, [&](int begin, int end, const Found& found) {
    add_tokens(points_of(all.tempSubStringBetween(done, begin)), out);
    Token token{.text = points_of(found.group(1)), .tag = "NN"};
    std::u32string said = points_of(found.group(2));
    if (said.size() > 1 && said.front() == U'/' && said.back() == U'/') {
      said.erase(0, 1);
      said.erase(said.find_last_not_of(U'/') + 1);
      token.phonemes = said;
    }
    token.has_blank = end < all.length() &&
                      is_blank(static_cast<char32_t>(all.char32At(end)));
    out.push_back(std::move(token));
    done = end;
  });
  add_tokens(points_of(all.tempSubStringBetween(done)), out);
  return out;
}

/// Letters by the network, digits as a number, signs by their names.
std::u32string English::sound_out(const Token& token) const {
  std::u32string out;
  for (const auto& found : piece_.all(unicode_of(token.text))) {
    const std::u32string piece = points_of(found);
    std::u32string sound;
    if (is_decimal(piece[0])) {
      sound = parts_.lexicon.number(plain(piece), 0, /*is_head=*/false)
                  .value_or(U"");
    } else if (is_letter(piece[0])) {
      sound = parts_.unknown_word(piece);
    } else {
      for (const char32_t c : piece) sound += name_of(c);
    }
    if (sound.empty()) continue;
    if (!out.empty()) out += U' ';
    out += sound;
  }
  return out;
}

/// The longest run of parts that the lexicon has, from the right; if some part
/// is in none the whole word is sounded out.
void English::read_parts(Word& word, Following& following) const {
  std::size_t first = 0;
  std::size_t last = word.size();
  while (first < last) {
    const Token whole = joined(word, first, last);
    Phonemes phonemes;
    if (!has_phonemes(word, first, last)) {
      phonemes = parts_.lexicon(whole, following);
    }
    if (phonemes) {
      following = before(following, *phonemes, whole);
      give_first(word, first, last, *std::move(phonemes));
      last = std::exchange(first, 0);
    } else if (first + 1 < last) {
      ++first;
    } else {
      --last;
      first = 0;
      if (word[last].phonemes) continue;
      if (!is_silent(word[last].text)) {
        const Token all = joined(word, 0, word.size());
        return give_first(word, 0, word.size(), sound_out(all));
      }
      word[last].phonemes = U"";
    }
  }
  settle(word);
}

void English::read(Word& word, Following& following) const {
  if (word.size() > 1) return read_parts(word, following);
  Token& token = word.front();
  if (!token.phonemes) token.phonemes = parts_.lexicon(token, following);
  if (!token.phonemes) token.phonemes = sound_out(token);
  following = before(following, *token.phonemes, token);
}

Pronounced English::operator()(View sentence) const {
  std::vector<Word> words = subtokens_(tokens_of(parts_.normalizer(sentence)));
  Following following;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    read(*word, following);
  }
  Pronounced out;
  for (const Word& word : words) {
    const std::u32string sound = sound_of(word);
    if (sound.empty() && has_letters(word)) {
      out.unread.push_back(utf8_of(joined(word, 0, word.size()).text));
    }
    out.phonemes += sound;
    if (word.back().has_blank) out.phonemes += U' ';
  }
  const auto first = out.phonemes.find_first_not_of(U' ');
  out.phonemes.erase(0, std::min(first, out.phonemes.size()));
  out.phonemes.erase(out.phonemes.find_last_not_of(U' ') + 1);
  return out;
}

}  // namespace penstock::speech
