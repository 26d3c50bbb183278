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

}  // namespace penstock::run
