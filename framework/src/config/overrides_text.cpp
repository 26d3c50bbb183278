// Overrides as the environment writes them.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/quote.h"
#include "penstock/pipeline_file.h"

namespace penstock {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return "";
  const auto end = text.find_last_not_of(kBlank);
  return std::string(text.substr(begin, end - begin + 1));
}

/// Where the override at the front ends: a `;` outside of quotes. A quote
/// begins only where a value or an item of a list does.
std::size_t length_of(std::string_view text) {
  char quote = '\0';
  char before = '\0';  // the last character that is not blank
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_start = before == '=' || before == '[' || before == ',';
    if (quote != '\0') {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = '\0';
    } else if (c == ';') {
      return i;
    } else if ((c == '"' || c == '\'') && is_start) {
      quote = c;
    }
    if (c != ' ') before = c;
  }
  return text.size();
}

}  // namespace

std::vector<Override> parse_overrides(const std::string& text,
                                      const std::string& source) {
  std::vector<Override> out;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = length_of(rest);
    const std::string one = trimmed(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
    if (one.empty()) continue;
    const auto equals = one.find('=');
    if (equals == one.npos || equals == 0) {
      throw Error(Code::kUsage,
                  str(source, ": expected key=value, not ", shown(one)));
    }
    out.push_back({.key = trimmed(one.substr(0, equals)),
                   .value = trimmed(one.substr(equals + 1)),
                   .source = source});
  }
  return out;
}

std::vector<Override> overrides_from_environment() {
  std::vector<Override> out;
  const auto add = [&out](const char* variable, const char* key) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') return;
    out.push_back({.key = key, .value = value, .source = variable});
  };
  add("PENSTOCK_DEVICE", "device");
  add("PENSTOCK_THREADS", "threads");
  if (const char* text = std::getenv("PENSTOCK_SET")) {
    const auto more = parse_overrides(text, "PENSTOCK_SET");
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace penstock
