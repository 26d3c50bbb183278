#include "text/wordpiece/token_table.h"

#include <algorithm>
#include <utility>

namespace penstock::text {

void TokenTable::add(std::string text, std::int64_t id) {
  tokens_.push_back({.text = std::move(text), .id = id});
}

std::string TokenTable::sort() {
  std::sort(tokens_.begin(), tokens_.end(),
            [](const Token& a, const Token& b) { return a.text < b.text; });
  const auto alike = std::adjacent_find(
      tokens_.begin(), tokens_.end(),
      [](const Token& a, const Token& b) { return a.text == b.text; });
  return alike == tokens_.end() ? "" : alike->text;
}

TokenTable::Match TokenTable::longest(std::string_view text) const {
  Match best;
  // Those that begin as the text does, up to the byte looked at: shorter ones
  // come first among them.
  auto first = tokens_.begin();
  auto last = tokens_.end();
  for (std::size_t at = 0; at < text.size() && first != last; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto byte_of = [at](const Token& token) {
      return token.text.size() > at
                 ? int{static_cast<unsigned char>(token.text[at])}
                 : -1;
    };
    first = std::partition_point(
        first, last, [&](const Token& token) { return byte_of(token) < byte; });
    last = std::partition_point(first, last, [&](const Token& token) {
      return byte_of(token) == byte;
    });
    if (first != last && first->text.size() == at + 1) {
      best = {.id = first->id, .size = at + 1};
    }
  }
  return best;
}

std::int64_t TokenTable::id_of(std::string_view text) const {
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), text,
                       [](const Token& token, std::string_view other) {
                         return token.text < other;
                       });
  return found != tokens_.end() && found->text == text ? found->id : -1;
}

}  // namespace penstock::text
