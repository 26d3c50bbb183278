#include "pipeline_serve/http/trace_parent.h"

#include <algorithm>
#include <string_view>

namespace penstock::serve {
namespace {

constexpr std::size_t kTraceAt = 3, kTraceSize = 32;
constexpr std::size_t kParentAt = 36, kParentSize = 16;
constexpr std::size_t kFlagsAt = 53;
constexpr std::size_t kSize = 55;  ///< of version 00; later ones may have more

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

std::optional<TraceParent> parsed(std::string_view text) {
  if (text.size() < kSize) return {};
  const auto version = text.substr(0, 2);
  const auto trace = text.substr(kTraceAt, kTraceSize);
  const auto parent = text.substr(kParentAt, kParentSize);
  const auto flags = text.substr(kFlagsAt, 2);
  for (const std::size_t at : {kTraceAt, kParentAt, kFlagsAt}) {
    if (text[at - 1] != '-') return {};
  }
  for (const auto part : {version, trace, parent, flags}) {
    if (!is_hex(part)) return {};
  }
  if (version == "ff" || is_zero(trace) || is_zero(parent)) return {};
  const bool has_more = text.size() > kSize;
  if (has_more && (version == "00" || text[kSize] != '-')) return {};
  return TraceParent{.trace_id = std::string(trace),
                     .parent_id = std::string(parent)};
}

}  // namespace

std::optional<TraceParent> trace_parent_of(const Fields& fields) {
  constexpr std::string_view kName = "traceparent";
  const auto& all = fields.all();
  const auto count = std::count_if(
      all.begin(), all.end(),
      [&](const auto& field) { return same_word(field.first, kName); });
  if (count != 1) return {};
  return parsed(fields.get(kName));
}

}  // namespace penstock::serve
