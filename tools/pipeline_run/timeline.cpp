#include "timeline.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace penstock::run {
namespace {

using Json = nlohmann::ordered_json;

const Json* time_of(const Json& entry) {
  if (!entry.is_object()) return nullptr;
  for (const char* key : {"time", "begin"}) {
    const auto found = entry.find(key);
    if (found != entry.end() && found->is_number()) return &*found;
  }
  return nullptr;
}

void collect(const std::string& step, const Json& result,
             std::vector<Json>& out) {
  for (const Json& list : result) {
    if (!list.is_array()) continue;
    for (const Json& entry : list) {
      if (time_of(entry) == nullptr) continue;
      Json named = {{"step", step}};
      named.update(entry);
      out.push_back(std::move(named));
    }
  }
}

}  // namespace

std::string timeline(const std::vector<std::string>& results) {
  std::vector<Json> entries;
  for (const std::string& text : results) {
    const Json steps = Json::parse(text)["steps"];
    for (const auto& [step, parts] : steps.items()) {
      for (const Json& part : parts) collect(step, part, entries);
    }
  }
  if (entries.empty()) return "";
  std::stable_sort(
      entries.begin(), entries.end(), [](const Json& a, const Json& b) {
        return time_of(a)->get<double>() < time_of(b)->get<double>();
      });
  return Json{{"timeline", entries}}.dump(-1, ' ', false,
                                          Json::error_handler_t::replace);
}

}  // namespace penstock::run
