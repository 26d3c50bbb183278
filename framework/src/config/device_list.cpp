// StageConfig::device as a list.
#include <string_view>

#include "penstock/placement.h"

namespace penstock {

std::vector<std::string> listed_devices(const std::string& text) {
  if (!text.starts_with('[')) return {text};
  std::vector<std::string> out;
  std::string_view rest = std::string_view(text).substr(1);
  while (!rest.empty()) {
    const auto end = rest.find_first_of(",]");
    std::string_view one = rest.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    out.emplace_back(one);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  return out;
}

}  // namespace penstock
