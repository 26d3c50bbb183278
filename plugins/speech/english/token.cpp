#include "speech/english/token.h"

#include <algorithm>

#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

/// Large letters count twice.
std::size_t weight_of(const std::u32string& text) {
  const std::u32string small = lowered(text);
  std::size_t out = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != small[i]) ++out;
  }
  return out;
}

}  // namespace

Token joined(const Word& word, std::size_t first, std::size_t last) {
  Token out;
  std::size_t most = 0;
  for (std::size_t i = first; i < last; ++i) {
    const Token& part = word[i];
    out.text += part.text;
    if (part.has_blank && i + 1 < last) out.text += U' ';
    const std::size_t weight = weight_of(part.text);
    if (i == first || weight > most) {
      most = weight;
      out.tag = part.tag;
    }
    out.currency = std::max(out.currency, part.currency);
  }
  out.has_blank = word[last - 1].has_blank;
  out.is_head = word[first].is_head;
  out.is_apart = word[first].is_apart;
  return out;
}

}  // namespace penstock::speech
