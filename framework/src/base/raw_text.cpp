// raw_from_text(): values as --set and the environment write them.
#include <algorithm>
#include <string_view>

#include "penstock/params.h"

namespace penstock {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

char unescaped(char c) { return c == 'n' ? '\n' : c == 't' ? '\t' : c; }

/// Reads a quoted text that begins at `at`, and moves `at` past it. False
/// when it does not end.
bool read_quoted(std::string_view text, std::size_t& at, std::string& out) {
  const char quote = text[at++];
  for (; at < text.size(); ++at) {
    const bool has_next = at + 1 < text.size();
    if (quote == '"' && text[at] == '\\' && has_next) {
      out += unescaped(text[++at]);
    } else if (quote == '\'' && text[at] == '\'' && has_next &&
               text[at + 1] == '\'') {
      out += text[++at];
    } else if (text[at] == quote) {
      ++at;
      return true;
    } else {
      out += text[at];
    }
  }
  return false;
}

bool is_quote(std::string_view text) {
  return !text.empty() && (text.front() == '"' || text.front() == '\'');
}

/// What is not one complete quoted text stays as it is written.
RawScalar scalar(std::string_view text) {
  if (is_quote(text)) {
    RawScalar raw{.text = "", .quoted = true};
    std::size_t at = 0;
    if (read_quoted(text, at, raw.text) && at == text.size()) return raw;
  }
  return {.text = std::string(text), .quoted = false};
}

/// Length of the first item: up to a comma outside of quotes.
std::size_t item_length(std::string_view text) {
  const auto at = text.find_first_not_of(" \t");
  if (at != text.npos && is_quote(text.substr(at))) {
    std::string ignored;
    std::size_t end = at;
    if (read_quoted(text, end, ignored))
      return std::min(text.find(',', end), text.size());
  }
  return std::min(text.find(','), text.size());
}

}  // namespace

Raw raw_from_text(const std::string& text) {
  const std::string_view whole = trimmed(text);
  if (whole.size() < 2 || whole.front() != '[' || whole.back() != ']') {
    // Blanks around a plain text are somebody's wish: sep=" ".
    return scalar(is_quote(whole) ? whole : std::string_view(text));
  }
  std::vector<RawScalar> items;
  std::string_view rest = trimmed(whole.substr(1, whole.size() - 2));
  while (!rest.empty()) {
    const std::size_t length = item_length(rest);
    items.push_back(scalar(trimmed(rest.substr(0, length))));
    rest = length < rest.size() ? rest.substr(length + 1) : "";
  }
  return items;
}

}  // namespace penstock
