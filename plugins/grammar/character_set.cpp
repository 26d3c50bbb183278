#include "grammar/character_set.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace penstock::grammar {
namespace {

constexpr std::size_t kOthers = 128;

CharacterSet range(unsigned long from, unsigned long to) {
  CharacterSet out;
  for (unsigned long i = from; i <= std::min(to, 127UL); ++i) out.set(i);
  if (to >= 128) out.set(kOthers);
  return out;
}

CharacterSet digits() { return range('0', '9'); }
CharacterSet words() {
  return digits() | range('a', 'z') | range('A', 'Z') | range('_', '_');
}
CharacterSet spaces() { return range(9, 13) | range(' ', ' '); }

/// The character that a unit stands for.
unsigned long value_of(std::string_view unit) {
  const auto first = static_cast<unsigned char>(unit[0]);
  if (first != '\\' || unit.size() < 2) return first;
  const char kind = unit[1];
  if (kind != 'x' && kind != 'u' && kind != 'U') {
    return static_cast<unsigned char>(kind);
  }
  std::string hex(unit.substr(2));
  if (hex.starts_with('{')) hex.erase(0, 1);
  return std::strtoul(hex.c_str(), nullptr, 16);
}

}  // namespace

std::size_t unit_length(std::string_view text) {
  std::size_t length = 1;
  if (text[0] == '\\' && text.size() > 1) {
    const char kind = text[1];
    length = kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
    if (kind == 'u' && text.size() > 2 && text[2] == '{') {
      length = text.find('}') + 1;
    }
  } else {
    // A character beyond ASCII is one.
    while (length < text.size() &&
           (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80) {
      ++length;
    }
  }
  return std::clamp<std::size_t>(length, 1, text.size());
}

CharacterSet unit_set(std::string_view unit) {
  if (unit == ".") return CharacterSet().set();
  if (unit.size() == 2 && unit[0] == '\\') {
    switch (unit[1]) {
      case 'd':
        return digits();
      case 'D':
        return ~digits();
      case 'w':
        return words();
      case 'W':
        return ~words();
      case 's':
        return spaces();
      case 'S':
        return ~spaces();
      default:
        break;
    }
  }
  const unsigned long value = value_of(unit);
  return range(value, value);
}

CharacterSet class_set(std::string_view inner) {
  const bool is_negated = inner.starts_with('^');
  if (is_negated) inner.remove_prefix(1);
  CharacterSet out;
  while (!inner.empty()) {
    const std::string_view low = inner.substr(0, unit_length(inner));
    inner.remove_prefix(low.size());
    if (inner.size() < 2 || inner[0] != '-') {
      out |= unit_set(low == "." ? std::string_view("\\.") : low);
      continue;
    }
    inner.remove_prefix(1);
    const std::string_view high = inner.substr(0, unit_length(inner));
    inner.remove_prefix(high.size());
    out |= range(value_of(low), value_of(high));
  }
  // Of the others some are left.
  return is_negated ? (~out).set(kOthers) : out;
}

std::int64_t place_cost(const CharacterSet& set) {
  std::int64_t sum = set.test(kOthers) ? 300 : 0;
  for (std::size_t i = 0; i < kOthers; ++i) {
    if (!set.test(i)) continue;
    const bool is_lower = i >= 'a' && i <= 'z', is_upper = i >= 'A' && i <= 'Z';
    sum += i == ' ' ? 250 : is_lower ? 6 : is_upper ? 4 : 1;
  }
  return sum;
}

}  // namespace penstock::grammar
