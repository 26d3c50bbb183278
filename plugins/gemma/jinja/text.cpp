#include "gemma/jinja/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace penstock::gemma::jinja {
namespace {

/// Length of the character that begins with this byte; the text is UTF-8.
std::size_t length_of(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  if (value < 0x80) return 1;
  if (value < 0xE0) return 2;
  return value < 0xF0 ? 3 : 4;
}

/// Python's white space beyond ASCII.
constexpr std::array<std::string_view, 19> kSpaces{
    "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
    "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

bool is_space(std::string_view character) {
  if (character.size() == 1) {
    const char c = character[0];
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1C' && c <= '\x1F');
  }
  return std::find(kSpaces.begin(), kSpaces.end(), character) != kSpaces.end();
}

}  // namespace

std::vector<std::size_t> Text::characters() const {
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < bytes_.size(); at += length_of(bytes_[at])) {
    out.push_back(at);
  }
  out.push_back(bytes_.size());
  return out;
}

Text Text::stripped(bool left, bool right, std::string_view characters) const {
  const auto at = this->characters();
  const auto goes = [&](std::size_t i) {
    const std::string_view character(bytes_.data() + at[i], at[i + 1] - at[i]);
    return characters.empty() ? is_space(character)
                              : characters.find(character) != characters.npos;
  };
  std::size_t first = 0;
  std::size_t last = at.size() - 1;
  while (left && first < last && goes(first)) ++first;
  while (right && first < last && goes(last - 1)) --last;
  return part(at[first], at[last] - at[first]);
}

Text Text::replaced(const Text& from, const Text& to, std::size_t most) const {
  Text out;
  std::size_t at = 0;
  while (most-- > 0 && from.size() > 0) {
    const auto found = bytes_.find(from.bytes_, at);
    if (found == std::string::npos) break;
    out += part(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += part(at);
  return out;
}

std::vector<Text> Text::split(std::string_view separator, std::size_t most,
                              bool from_right) const {
  std::vector<Text> out;
  if (separator.empty()) {
    Text rest = stripped(true, false);
    while (rest.size() > 0) {
      const auto at = rest.characters();
      std::size_t end = 0;
      while (end + 1 < at.size() &&
             !is_space(std::string_view(rest.bytes_)
                           .substr(at[end], at[end + 1] - at[end]))) {
        ++end;
      }
      if (out.size() == most) end = at.size() - 1;
      out.push_back(rest.part(0, at[end]));
      rest = rest.part(at[end]).stripped(true, false);
    }
    return out;
  }
  std::size_t from = 0;
  std::size_t end = bytes_.size();
  while (from_right && out.size() < most) {
    if (end < separator.size()) break;
    const auto found = bytes_.rfind(separator, end - separator.size());
    if (found == std::string::npos) break;
    out.push_back(
        part(found + separator.size(), end - found - separator.size()));
    end = found;
  }
  while (!from_right && out.size() < most) {
    const auto found = bytes_.find(separator, from);
    if (found == std::string::npos) break;
    out.push_back(part(from, found - from));
    from = found + separator.size();
  }
  out.push_back(part(from, end - from));
  if (from_right) std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace penstock::gemma::jinja
