#include "gemma/jinja/text.h"

#include <algorithm>

#include "gemma/jinja/utf8.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

bool is_space_at(std::string_view text, std::size_t at) {
  return is_space(code_point(text, at));
}

}  // namespace

Text& Text::operator+=(const Text& more) {
  if (bytes_.size() + more.size() > kMostBytes) {
    throw Error(Code::kData,
                str("a text became larger than ", kMostBytes, " bytes"));
  }
  bytes_ += more.bytes_;
  origin_ += more.origin_;
  return *this;
}

std::vector<std::size_t> Text::characters() const {
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < bytes_.size(); at += utf8_length(bytes_[at])) {
    out.push_back(at);
  }
  out.push_back(bytes_.size());
  return out;
}

Text Text::stripped(bool left, bool right, std::string_view characters) const {
  const auto at = this->characters();
  const auto goes = [&](std::size_t i) {
    const std::string_view character(bytes_.data() + at[i], at[i + 1] - at[i]);
    return characters.empty() ? is_space_at(bytes_, at[i])
                              : characters.find(character) != characters.npos;
  };
  std::size_t first = 0;
  std::size_t last = at.size() - 1;
  while (left && first < last && goes(first)) ++first;
  while (right && first < last && goes(last - 1)) --last;
  return part(at[first], at[last] - at[first]);
}

Text Text::replaced(const Text& from, const Text& to, std::size_t most) const {
  if (from.size() == 0) return spread(to, most);
  Text out;
  std::size_t at = 0;
  while (most-- > 0) {
    const auto found = bytes_.find(from.bytes_, at);
    if (found == std::string::npos) break;
    out += part(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += part(at);
  return out;
}

/// `between` before each character and at the end, as Python replaces "".
Text Text::spread(const Text& between, std::size_t most) const {
  Text out;
  const auto at = characters();
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (i < most) out += between;
    if (i + 1 < at.size()) out += part(at[i], at[i + 1] - at[i]);
  }
  return out;
}

std::vector<Text> Text::split(std::string_view separator, std::size_t most,
                              bool from_right) const {
  if (separator.empty()) return words(most, from_right);
  std::vector<Text> out;
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

/// Between runs of white space; what is left after `most` cuts is one.
std::vector<Text> Text::words(std::size_t most, bool from_right) const {
  std::vector<Text> out;
  const auto at = characters();
  std::size_t first = 0;
  std::size_t last = at.size() - 1;
  const auto space = [&](std::size_t i) { return is_space_at(bytes_, at[i]); };
  for (;;) {
    while (!from_right && first < last && space(first)) ++first;
    while (from_right && first < last && space(last - 1)) --last;
    if (first == last) break;
    std::size_t from = first;
    std::size_t to = last;
    if (out.size() < most && from_right) {
      for (from = last; from > first && !space(from - 1);) --from;
    } else if (out.size() < most) {
      for (to = first; to < last && !space(to);) ++to;
    }
    out.push_back(part(at[from], at[to] - at[from]));
    (from_right ? last : first) = from_right ? from : to;
  }
  if (from_right) std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace penstock::gemma::jinja
