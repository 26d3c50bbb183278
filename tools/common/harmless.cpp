#include "common/harmless.h"

#include <string_view>

namespace penstock {
namespace {

std::string without_controls(const std::string& text, std::string_view kept) {
  constexpr const char* kReplacement = "\uFFFD";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) ++i;
    if (is_c1 || byte == 0x7F ||
        (byte < 0x20 && kept.find(text[i]) == kept.npos)) {
      out += kReplacement;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string harmless(const std::string& text) {
  return without_controls(text, "\n\t");
}

std::string harmless_name(const std::string& text) {
  return "'" + without_controls(text, "") + "'";
}

}  // namespace penstock
