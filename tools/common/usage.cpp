#include "common/usage.h"

#include "penstock/params.h"

namespace penstock {
namespace {

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const std::string help = str("; see ", app.get_name(), " --help");
  const auto extra = app.remaining();
  if (extra.empty()) return {Code::kUsage, error.what() + help};
  const std::string& word = extra.front();
  const auto near = suggestion(word, flag_names(app));
  return {Code::kUsage, str("unknown flag ", word, near.empty() ? help : near)};
}

}  // namespace penstock
