#include "base/quote.h"

#include <algorithm>
#include <array>

#include "penstock/text.h"

namespace penstock {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Safe anywhere in YAML, `{a: x}` and `[x]` included. A narrow choice:
/// quotes are never wrong.
bool is_plain(std::string_view text) {
  constexpr std::string_view kInside = "-+./@ ";
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c) || is_digit(c)) continue;
    const bool is_inner_colon =
        c == ':' && i + 1 < text.size() && text[i + 1] != ' ';
    if (i > 0 && is_inner_colon) continue;
    if (i == 0 && (c == '/' || c == '.')) continue;
    if (i == 0 && (c == '-' || c == '+')) {
      if (text.size() > 1 && (is_digit(text[1]) || text[1] == '.')) continue;
      return false;
    }
    if (i == 0 || kInside.find(c) == kInside.npos) return false;
  }
  return true;
}

/// Would read back as something else than a text, here or elsewhere.
bool is_word(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords = {"true", "false", "null",
                                                      "yes",  "no",    "~"};
  std::string lower(text);
  for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool is_null(std::string_view text) {
  return text == "null" || text == "Null" || text == "NULL";
}

/// One character with its YAML escape; UTF-8 passes.
void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (byte < 0x20 || byte == 0x7F) {
    out += "\\x";
    out += kHex[byte / 16];
    out += kHex[byte % 16];
  } else {
    out += c;
  }
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') out += '\\';
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '$' && (next == '$' || next == '{')) out += '$';
    append_escaped(out, c);
  }
  return out + '"';
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string valid = replace_invalid_utf8(text.substr(0, kLongest + 4));
  const bool is_cut = text.size() > kLongest;
  if (is_cut) valid.resize(complete_utf8({valid.data(), kLongest}));
  std::string out = "'";
  for (const char c : valid) append_escaped(out, c);
  return out + (is_cut ? "...'" : "'");
}

std::string yaml_text(std::string_view text) {
  const bool is_number_like =
      !text.empty() &&
      (is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.');
  // A path such as ./model is no number.
  const bool is_path = text.find('/') != text.npos;
  if (!is_plain(text) || is_word(text) || (is_number_like && !is_path)) {
    return double_quoted(text);
  }
  return std::string(text);
}

std::string yaml_plain(std::string_view text) {
  if (!is_plain(text) || is_null(text)) return double_quoted(text);
  return std::string(text);
}

}  // namespace penstock
