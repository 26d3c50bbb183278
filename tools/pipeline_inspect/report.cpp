#include "pipeline_inspect/report.h"

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "penstock/abi.h"
#include "penstock/plugin_host.h"
#include "pipeline_inspect/library_report.h"
#include "pipeline_inspect/probe.h"

namespace penstock::inspect {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  // A doc or path may hold bytes that are no UTF-8.
  return json.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

/// A plugin of the list, opened in a child of its own, or why not.
struct Listed {
  PluginFacts facts;
  std::string stages;  ///< lines or JSON
  std::optional<Error> problem;
};

Listed list_one(const PluginFacts& facts, const Options& options) {
  Listed listed{.facts = facts, .stages = {}, .problem = {}};
  try {
    listed.stages = ask({.use = facts.name,
                         .form = options.is_json ? "json" : "lines",
                         .folders = options.folders});
  } catch (const Error& error) {
    listed.problem = error;
  }
  return listed;
}

std::vector<Listed> list_all(const Options& options) {
  std::vector<std::future<Listed>> futures;
  for (const PluginFacts& facts : PluginHost(options.folders).plugins()) {
    futures.push_back(std::async(std::launch::async, [facts, &options] {
      return list_one(facts, options);
    }));
  }
  std::vector<Listed> all;
  all.reserve(futures.size());
  for (auto& future : futures) all.push_back(future.get());
  return all;
}

Json plugin_json(const PluginFacts& facts, const std::string& stages) {
  Json json{{"plugin", facts.name}, {"path", facts.path.string()}};
  json["facts"] = facts_json(facts);
  json["stages"] = stages.empty() ? Json::array() : Json::parse(stages);
  return json;
}

Json problem_json(const std::optional<Error>& problem) {
  return problem ? Json(problem->what()) : Json();
}

std::string list_text(const std::vector<Listed>& all) {
  std::string text;
  fs::path folder;
  for (const Listed& listed : all) {
    if (listed.facts.path.parent_path() != folder) {
      folder = listed.facts.path.parent_path();
      text += str(text.empty() ? "" : "\n", folder.string(), "\n");
    }
    text += listed.facts.name + "\n";
    text +=
        listed.problem ? "  cannot be used, see the error\n" : listed.stages;
  }
  return text;
}

std::string list_json(const std::vector<Listed>& all,
                      const std::vector<fs::path>& folders) {
  Json json{{"plugins", Json::array()}, {"searched", Json::array()}};
  for (const Listed& listed : all) {
    Json plugin = plugin_json(listed.facts, listed.stages);
    plugin["problem"] = problem_json(listed.problem);
    json["plugins"].push_back(std::move(plugin));
  }
  for (const fs::path& folder : folders) {
    json["searched"].push_back(folder.string());
  }
  return dump(json);
}

Report report_all(const Options& options) {
  const std::vector<Listed> all = list_all(options);
  Report report{.text = options.is_json ? list_json(all, options.folders)
                                        : list_text(all),
                .problems = {}};
  for (const Listed& listed : all) {
    if (listed.problem) report.problems.push_back(*listed.problem);
  }
  if (all.empty()) {
    std::string searched;
    for (const fs::path& folder : options.folders) {
      searched += "\n  " + folder.string();
    }
    report.problems.emplace_back(Code::kNotFound,
                                 "there is no plugin in" + searched);
  }
  return report;
}

Report report_name(const Options& options) {
  const std::string text = ask({.use = options.subject,
                                .form = options.is_json ? "json" : "text",
                                .folders = options.folders});
  if (!options.is_json) return {.text = text, .problems = {}};
  if (options.subject.find('.') != std::string::npos) {
    return {.text = dump(Json::parse(text).at(0)), .problems = {}};
  }
  const auto plugins = PluginHost(options.folders).plugins();
  const auto facts = std::find_if(
      plugins.begin(), plugins.end(),
      [&options](const auto& each) { return each.name == options.subject; });
  // The child has just opened it, so it was there.
  if (facts == plugins.end()) {
    throw Error(Code::kRetry, options.subject + " was just taken away");
  }
  return {.text = dump(plugin_json(*facts, text)), .problems = {}};
}

Report report_library(const Options& options) {
  const PluginFacts facts = inspect_plugin(options.subject);
  std::string stages;
  std::optional<Error> problem;
  if (!facts.problem.empty()) {
    problem = Error(Code::kInternal,
                    str(facts.path.string(),
                        " cannot be used as a plugin: ", facts.problem));
  } else {
    const fs::path folder = fs::absolute(options.subject).parent_path();
    Listed listed = list_one(
        facts,
        {.subject = {}, .folders = {folder}, .is_json = options.is_json});
    stages = listed.stages;
    problem = listed.problem;
  }
  Report report;
  if (problem) report.problems.push_back(*problem);
  if (options.is_json) {
    Json json = plugin_json(facts, stages);
    json["problem"] = problem_json(problem);
    report.text = dump(json);
  } else {
    report.text = facts_text(facts) + stages;
  }
  return report;
}

bool is_path(const std::string& subject) {
  return subject.find('/') != std::string::npos || subject.ends_with(".so");
}

}  // namespace

Report report(const Options& options) {
  for (const fs::path& folder : options.folders) {
    if (folder.empty()) throw Error(Code::kUsage, "--plugin-path is empty");
  }
  if (options.subject.empty()) return report_all(options);
  return is_path(options.subject) ? report_library(options)
                                  : report_name(options);
}

}  // namespace penstock::inspect
