#include "config/expand.h"

#include <cstdlib>
#include <string_view>

#include "base/quote.h"
#include "penstock/text.h"

namespace penstock::config {
namespace {

constexpr std::size_t kLargest = 1 << 20;

bool is_variable(std::string_view name) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         name.find_first_not_of(kLetters) == name.npos;
}

/// What stands between `${` and `}`: NAME or NAME:-default.
std::string value_of(std::string_view inside) {
  const auto dash = inside.find(":-");
  const std::string name(inside.substr(0, dash));
  if (!is_variable(name)) {
    throw Error(Code::kData, str("${", inside, "}: ", shown(name),
                                 " is not the name of a variable"));
  }
  const char* found = std::getenv(name.c_str());
  if (dash != inside.npos && (found == nullptr || *found == '\0')) {
    return std::string(inside.substr(dash + 2));
  }
  if (found == nullptr) {
    throw Error(Code::kData,
                str("variable ", name, " is not set; set it, or write ${", name,
                    ":-default}"));
  }
  if (invalid_utf8(found)) {
    throw Error(Code::kData, str("variable ", name, " is not UTF-8"));
  }
  return found;
}

}  // namespace

RawScalar expanded(const YamlNode& scalar) {
  const std::string_view text = scalar.text;
  RawScalar out{.text = "", .quoted = scalar.is_quoted};
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] != '$' || (next != '$' && next != '{')) {
      out.text += text[at];
      continue;
    }
    if (next == '$') {
      out.text += '$';
      ++at;
      continue;
    }
    const auto end = text.find('}', at);
    if (end == text.npos) {
      throw Error(Code::kData, "'${' without its '}'; write $$ for a $");
    }
    if (at == 0 && end + 1 == text.size()) out.quoted = false;
    out.text += value_of(text.substr(at + 2, end - at - 2));
    if (out.text.size() > kLargest) {
      throw Error(Code::kData, "more than 1 MiB with variables expanded");
    }
    at = end;
  }
  return out;
}

}  // namespace penstock::config
