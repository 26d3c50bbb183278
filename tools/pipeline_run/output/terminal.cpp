#include "pipeline_run/output/terminal.h"

#include <cstdlib>
#include <string_view>

namespace penstock::run {
namespace {

bool has_bold() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const std::string_view kind = terminal == nullptr ? "" : terminal;
  return (no_color == nullptr || *no_color == '\0') && !kind.empty() &&
         kind != "dumb";
}

}  // namespace

std::string bold(const std::string& text) {
  return has_bold() ? "\033[1m" + text + "\033[0m" : text;
}

std::string harmless(const std::string& text) {
  constexpr const char* kReplacement = "\uFFFD";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) ++i;
    if (is_c1 || byte == 0x7F ||
        (byte < 0x20 && byte != '\n' && byte != '\t')) {
      out += kReplacement;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace penstock::run
