#include "text/wordpiece/encoder.h"

#include <algorithm>

namespace penstock::text {
namespace {

/// Gives the tokens of `whole` that `text` has, the longest at each place, to
/// `ids`, and what stands between them to `encode`.
template <class Encode>
void around_whole(const TokenTable& whole, std::string_view text,
                  std::vector<std::int64_t>& ids, const Encode& encode) {
  std::size_t done = 0;
  if (!whole.is_empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const TokenTable::Match match = whole.longest(text.substr(at));
      if (match.id < 0) {
        ++at;
        continue;
      }
      encode(text.substr(done, at - done));
      ids.push_back(match.id);
      at += match.size;
      done = at;
    }
  }
  encode(text.substr(done));
}

std::int64_t characters(std::string_view word) {
  return std::count_if(word.begin(), word.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
}

}  // namespace

std::vector<std::int64_t> WordPieceEncoder::encode(
    std::string_view text) const {
  std::vector<std::int64_t> ids;
  around_whole(vocabulary_.whole, text, ids,
               [&](std::string_view part) { encode_raw(part, ids); });
  return ids;
}

void WordPieceEncoder::encode_raw(std::string_view text,
                                  std::vector<std::int64_t>& ids) const {
  const std::string seen = normalized(text, vocabulary_.rules);
  around_whole(vocabulary_.whole_normalized, seen, ids,
               [&](std::string_view part) { encode_normalized(part, ids); });
}

void WordPieceEncoder::encode_normalized(std::string_view text,
                                         std::vector<std::int64_t>& ids) const {
  for (const std::string_view word : words_of(text)) encode_word(word, ids);
}

void WordPieceEncoder::encode_word(std::string_view word,
                                   std::vector<std::int64_t>& ids) const {
  const std::size_t before = ids.size();
  bool is_known = characters(word) <= vocabulary_.longest_word;
  for (std::size_t at = 0; is_known && at < word.size();) {
    const TokenTable& table =
        at == 0 ? vocabulary_.tokens : vocabulary_.continuations;
    const TokenTable::Match match = table.longest(word.substr(at));
    is_known = match.id >= 0;
    if (is_known) ids.push_back(match.id);
    at += match.size;
  }
  if (is_known) return;
  ids.resize(before);
  ids.push_back(vocabulary_.unknown);
}

}  // namespace penstock::text
