#include "speech/english/subtokens.h"

#include <algorithm>
#include <array>
#include <utility>

#include "speech/english/characters.h"
#include "speech/english/lexicon.h"

namespace penstock::speech {
namespace {

/// Letters, apostrophes, and where a word is cut: before a large letter behind
/// small ones, around numbers and hyphens.
constexpr const char* kPart =
    R"(^['‘’]+)"
    R"(|[A-ZÀ-ÖØ-Þ](?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]))"
    R"(|(?:^-)?(?:\d?[,.]?\d)+)"
    R"(|[-_]+)"
    R"(|['‘’]{2,})"
    R"(|[\p{L}\p{Nl}\p{No}]*?(?:['‘’][\p{L}\p{Nl}\p{No}])*?[a-zß-öø-ÿ])"
    R"((?=[A-ZÀ-ÖØ-Þ]))"
    R"(|[\p{L}\p{Nl}\p{No}]+(?:['‘’][\p{L}\p{Nl}\p{No}])*)"
    R"(|[^\p{L}\p{N}_\-'‘’])"
    R"(|['‘’]+$)";
constexpr std::u32string_view kSpoken = U";:,.!?—…\"“”";
constexpr std::array<const char*, 11> kSignTags{
    ".", ",", "-LRB-", "-RRB-", "``", "\"\"", "''", ":", "$", "#", "NFP"};

bool is_sign(const Token& token) {
  const bool has_tag = std::find(kSignTags.begin(), kSignTags.end(),
                                 token.tag) != kSignTags.end();
  const std::u32string small = lowered(token.text);
  return has_tag && !std::all_of(small.begin(), small.end(), [](char32_t c) {
           return c >= U'a' && c <= U'z';
         });
}

std::u32string sound_of_sign(const Token& token) {
  if (token.tag == "-LRB-") return U"(";
  if (token.tag == "-RRB-") return U")";
  if (token.tag == "``") return U"“";
  if (token.tag == "''" || token.tag == "\"\"") return U"”";
  std::u32string out = token.text;
  std::erase_if(out,
                [](char32_t c) { return kSpoken.find(c) == kSpoken.npos; });
  return out;
}

/// "2" between letters: "B2B".
bool is_to(const Word& parts, std::size_t at) {
  return at > 0 && at + 1 < parts.size() && parts[at].text == U"2" &&
         is_alpha(parts[at - 1].text.back()) &&
         is_alpha(parts[at + 1].text.front());
}

/// Signs have a sound without the lexicon; a sign of money, none, is kept for
/// the number behind it.
void give_sound(Word& parts, std::size_t at, bool is_last_number,
                char32_t& currency) {
  Token& part = parts[at];
  if (part.phonemes) return;
  if (part.tag == "$" && part.text.size() == 1 &&
      !units_of(part.text[0]).first.empty()) {
    currency = part.text[0];
    part.phonemes = U"";
  } else if (part.tag == ":" && (part.text == U"-" || part.text == U"–")) {
    part.phonemes = U"—";
  } else if (is_sign(part)) {
    part.phonemes = sound_of_sign(part);
  } else if (currency != 0) {
    if (part.tag != "CD") {
      currency = 0;
    } else if (at + 1 == parts.size() && is_last_number) {
      part.currency = currency;
    }
  } else if (is_to(parts, at)) {
    part.alias = U"to";
  }
}

}  // namespace

Subtokens::Subtokens() : part_(kPart) {}

Word Subtokens::parts_of(const Token& token) const {
  if (token.phonemes) return {token};
  Word out;
  for (const auto& text : part_.all(unicode_of(token.text))) {
    Token part = token;
    part.text = points_of(text);
    part.has_blank = false;
    out.push_back(std::move(part));
  }
  if (out.empty()) out.push_back(token);
  out.back().has_blank = token.has_blank;
  return out;
}

std::vector<Word> Subtokens::operator()(
    const std::vector<Token>& tokens) const {
  std::vector<Word> out;
  bool is_open = false;  // the next part belongs to the last word
  char32_t currency = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_last_number =
        i + 1 == tokens.size() || tokens[i + 1].tag != "CD";
    Word parts = parts_of(tokens[i]);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      Token& part = parts[k];
      give_sound(parts, k, is_last_number, currency);
      const bool is_done = part.phonemes || part.alias;
      if (is_open && !is_done) {
        part.is_head = false;
        is_open = !part.has_blank;
        out.back().push_back(part);  // the parts behind look at it
        continue;
      }
      is_open = !is_done && !part.has_blank;
      out.push_back({part});
    }
  }
  return out;
}

}  // namespace penstock::speech
