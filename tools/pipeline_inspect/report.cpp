#include "pipeline_inspect/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "penstock/abi.h"
#include "penstock/model_head.h"
#include "penstock/plugin_host.h"
#include "pipeline_inspect/library_report.h"
#include "pipeline_inspect/listed.h"
#include "pipeline_inspect/model_report.h"
#include "pipeline_inspect/probe.h"
#include "pipeline_inspect/schema.h"

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

/// Of a Question about every stage.
std::string form_of(const Options& options) {
  return options.is_json || options.is_schema ? "json" : "lines";
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
    text += listed.problem ? "  cannot be used, see the error\n"
                           : listed.answer.stages;
  }
  return text;
}

std::string list_json(const std::vector<Listed>& all,
                      const std::vector<fs::path>& folders) {
  Json json{{"plugins", Json::array()}, {"searched", Json::array()}};
  for (const Listed& listed : all) {
    Json plugin = plugin_json(listed.facts, listed.answer.stages);
    plugin["problem"] = problem_json(listed.problem);
    json["plugins"].push_back(std::move(plugin));
  }
  for (const fs::path& folder : folders) {
    json["searched"].push_back(folder.string());
  }
  return dump(json);
}

/// Of those that can be used; the others are told of.
std::string schema_text(const std::vector<Listed>& all) {
  Json stages = Json::array();
  for (const Listed& listed : all) {
    if (listed.answer.stages.empty()) continue;
    for (Json& stage : Json::parse(listed.answer.stages)) {
      stages.push_back(std::move(stage));
    }
  }
  return dump(schema_of(stages));
}

Report report_all(const Options& options) {
  const std::vector<Listed> all = list_all(form_of(options), options);
  Report report{.text = options.is_schema ? schema_text(all)
                        : options.is_json ? list_json(all, options.folders)
                                          : list_text(all),
                .problems = {},
                .warnings = {}};
  for (const Listed& listed : all) {
    if (listed.problem) report.problems.push_back(*listed.problem);
    report.warnings.insert(report.warnings.end(),
                           listed.answer.warnings.begin(),
                           listed.answer.warnings.end());
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
  const auto [text, warnings] = ask({.use = options.subject,
                                     .form = options.is_json ? "json" : "text",
                                     .folders = options.folders,
                                     .patience = options.patience});
  Report report{.text = text, .problems = {}, .warnings = warnings};
  if (!options.is_json) return report;
  if (options.subject.find('.') != std::string::npos) {
    report.text = dump(Json::parse(text).at(0));
    return report;
  }
  const auto plugins = PluginHost(options.folders).plugins();
  const auto facts = std::find_if(
      plugins.begin(), plugins.end(),
      [&options](const auto& each) { return each.name == options.subject; });
  // The child has just opened it, so it was there.
  if (facts == plugins.end()) {
    throw Error(Code::kRetry, options.subject + " was just taken away");
  }
  report.text = dump(plugin_json(*facts, text));
  return report;
}

Report report_library(const Options& options) {
  const PluginFacts facts = inspect_plugin(options.subject);
  Answer answer;
  std::optional<Error> problem;
  if (!facts.problem.empty()) {
    problem = Error(Code::kInternal,
                    str(facts.path.string(),
                        " cannot be used as a plugin: ", facts.problem));
  } else {
    const fs::path folder = fs::absolute(options.subject).parent_path();
    const Listed listed = list_one(facts, form_of(options),
                                   {.subject = {},
                                    .folders = {folder},
                                    .is_json = options.is_json,
                                    .patience = options.patience});
    answer = listed.answer;
    problem = listed.problem;
  }
  Report report{.text = {}, .problems = {}, .warnings = answer.warnings};
  if (problem) report.problems.push_back(*problem);
  if (options.is_json) {
    Json json = plugin_json(facts, answer.stages);
    json["problem"] = problem_json(problem);
    report.text = dump(json);
  } else {
    report.text = facts_text(facts) + answer.stages;
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
  if (has_model_head(options.subject)) {
    return report_model(options.subject, options.is_json);
  }
  return is_path(options.subject) ? report_library(options)
                                  : report_name(options);
}

}  // namespace penstock::inspect
