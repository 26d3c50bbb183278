#include "gemma/stop_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace penstock::gemma {
namespace {

/// Length of the longest end of `text` that begins `stop` but is not all of it.
std::size_t begun(std::string_view text, std::string_view stop) {
  std::size_t length = std::min(text.size(), stop.size() - 1);
  while (text.substr(text.size() - length) != stop.substr(0, length)) --length;
  return length;
}

}  // namespace

std::string StopText::add(const std::string& text) {
  if (is_found_) return "";
  held_ += text;
  // Of several, that which was whole first; then the longest.
  std::size_t from = 0;
  std::size_t first_end = std::string::npos;
  for (const std::string& stop : stops_) {
    const auto at = held_.find(stop);
    if (at == std::string::npos) continue;
    const std::size_t end = at + stop.size();
    if (end < first_end || (end == first_end && at < from)) {
      first_end = end;
      from = at;
    }
  }
  is_found_ = first_end != std::string::npos;
  if (is_found_) {
    held_.resize(from);
    return finish();
  }
  std::size_t keep = 0;
  for (const std::string& stop : stops_) {
    keep = std::max(keep, begun(held_, stop));
  }
  std::string shown = held_.substr(0, held_.size() - keep);
  held_.erase(0, shown.size());
  return shown;
}

std::string StopText::finish() { return std::exchange(held_, {}); }

}  // namespace penstock::gemma
