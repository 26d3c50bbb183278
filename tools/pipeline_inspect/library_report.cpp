#include "pipeline_inspect/library_report.h"

#include <vector>

#include "penstock/abi.h"
#include "pipeline_inspect/table.h"

namespace penstock::inspect {

namespace {

std::vector<AbiFact> facts_of(const PluginFacts& plugin) {
  return plugin.abi.empty() ? std::vector<AbiFact>() : compare_abi(plugin.abi);
}

std::string verdict(const AbiFact& fact) {
  if (fact.differs()) return "differs";
  return fact.is_compared ? "" : "not compared";
}

std::string or_dash(const std::string& value) {
  return value.empty() ? "-" : value;
}

}  // namespace

std::string facts_text(const PluginFacts& plugin) {
  std::string text = plugin.path.string() + "\n";
  const std::string name = abi_value(plugin.abi, "plugin");
  if (plugin.abi.empty()) return text + "  no penstock note\n";
  text += "  plugin " + or_dash(name) + "\n";
  std::vector<std::vector<std::string>> rows{
      {"fact", "this library", "this program", ""}};
  for (const AbiFact& fact : facts_of(plugin)) {
    rows.push_back(
        {fact.key, or_dash(fact.library), or_dash(fact.host), verdict(fact)});
  }
  for (const std::string& line : aligned(rows)) text += line + "\n";
  return text;
}

nlohmann::ordered_json facts_json(const PluginFacts& plugin) {
  auto list = nlohmann::ordered_json::array();
  for (const AbiFact& fact : facts_of(plugin)) {
    list.push_back({{"key", fact.key},
                    {"library", fact.library},
                    {"host", fact.host},
                    {"compared", fact.is_compared},
                    {"differs", fact.differs()}});
  }
  return list;
}

}  // namespace penstock::inspect
