#include "speech/english/sentences.h"

#include <algorithm>

#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

constexpr View kEnders = U".!?…";
constexpr View kClosers = U"\"”’)]";
constexpr View kOpeners = U"(\"“'‘";
constexpr View kClauseEnds = U",;:—";

bool is_in(View set, char32_t c) { return set.find(c) != set.npos; }

View trimmed(View text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// How many characters of a too long text to take.
std::size_t cut_of(View text) {
  const View head = text.substr(0, Sentences::kMost);
  const auto blank = std::find_if(head.rbegin(), head.rend(), is_blank);
  std::size_t at = static_cast<std::size_t>(head.rend() - blank);
  for (std::size_t i = head.size() - 1; i > Sentences::kMost / 4; --i) {
    if (is_blank(head[i]) && is_in(kClauseEnds, head[i - 1])) {
      at = i;
      break;
    }
  }
  return at == 0 ? head.size() : at;
}

}  // namespace

bool Sentences::ends(const std::u32string& line, std::size_t end,
                     char32_t next) const {
  if (is_lower(next)) return false;
  if (line[end - 1] != U'.') return true;
  const auto space = end < 2 ? line.npos : line.rfind(U' ', end - 1);
  const std::size_t begin = space == line.npos ? 0 : space + 1;
  View word = View(line).substr(begin, end - 1 - begin);
  while (!word.empty() && is_in(kOpeners, word.front())) word.remove_prefix(1);
  const bool is_initial = word.size() == 1 && is_upper(word.front());
  return !is_initial && !titles_.contains(std::u32string(word));
}

void Sentences::each_of_line(const std::u32string& line,
                             const std::function<void(View)>& take) const {
  std::size_t begin = 0;
  for (std::size_t i = 1; i < line.size();) {
    std::size_t next = i;
    if (is_in(kEnders, line[i - 1])) {
      while (next < line.size() && is_in(kClosers, line[next])) ++next;
      const std::size_t blanks = next;
      while (next < line.size() && is_blank(line[next])) ++next;
      const bool is_place = next > blanks && next < line.size();
      if (is_place && ends(line, i, line[next])) {
        take(View(line).substr(begin, i - begin));
        begin = next;
      }
      if (!is_place) next = i;
    }
    i = std::max(next, i + 1);
  }
  take(View(line).substr(begin));
}

void Sentences::each(
    std::string_view text,
    const std::function<void(const std::u32string&)>& take) const {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::u32string line(trimmed(points_of(text.substr(0, end))));
    each_of_line(line, [&](View sentence) {
      for (sentence = trimmed(sentence); sentence.size() > kMost;) {
        const std::size_t size = cut_of(sentence);
        take(std::u32string(trimmed(sentence.substr(0, size))));
        sentence = trimmed(sentence.substr(size));
      }
      if (!sentence.empty()) take(std::u32string(sentence));
    });
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace penstock::speech
