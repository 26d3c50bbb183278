// load_pipeline_file(): from bytes to checked structs.
#include <algorithm>

#include "base/quote.h"
#include "config/conflict.h"
#include "config/describe.h"
#include "config/devices.h"
#include "config/draft.h"
#include "config/file_loader.h"
#include "config/fit.h"
#include "config/inputs_loader.h"
#include "config/keys.h"
#include "config/notes_fit.h"
#include "config/overrides.h"
#include "config/stage_loader.h"
#include "config/values.h"

namespace penstock {
namespace config {
namespace {

constexpr std::size_t kMostPreprocess = 16;
constexpr std::size_t kMostRules = 8;

const std::vector<std::string>& top_keys() {
  static const std::vector<std::string> keys = {
      "version",    "name",  "model",   "device", "copies",      "threads",
      "preprocess", "batch", "forward", "decode", "postprocess", "inputs"};
  return keys;
}

void load_version(const YamlNode& value, Problems& problems) {
  const auto text = read_scalar(value, "1", problems);
  if (!text || (text->text == "1" && !text->quoted)) return;
  problems.add(value.at,
               "expected version 1, not " +
                   std::string(text->quoted ? "the quoted text " : "") +
                   shown(text->text));
}

/// `name`, `model`, `device`, `copies`, `threads`; false: it is another key.
bool load_setting(const Entry& entry, Draft& draft, Problems& problems) {
  PipelineFile& file = draft.file;
  const std::string source = problems.place(entry.value->at);
  if (entry.key == "threads") {
    const auto value = read_param(*entry.value, threads_spec(), problems);
    if (value) file.threads = {*value, source};
    return true;
  }
  if (entry.key != "name" && entry.key != "model" && entry.key != "device" &&
      entry.key != "copies") {
    return false;
  }
  const auto text = read_scalar(*entry.value,
                                entry.key == "device"
                                    ? "cpu, cuda, cuda:N or auto (a list of "
                                      "devices stands under forward)"
                                    : "a text",
                                problems);
  if (!text) return true;
  try {
    if (entry.key == "name") {
      check_name(text->text);
      file.name = text->text;
      file.name_source = source;
    } else if (entry.key == "model") {
      file.model = {model_seen_from(problems.path(), text->text), source};
      draft.model = {.is_given = true, .at = entry.value->at};
    } else if (entry.key == "copies") {
      check_copies(text->text);
      draft.copies = {.is_denied = text->text == "deny", .source = source};
    } else {
      check_device(text->text);
      file.device = {text->text, source};
      draft.device = {.is_given = true, .at = entry.value->at};
    }
  } catch (const Error& error) {
    problems.add(entry.value->at, error.text());
  }
  return true;
}

void load_preprocess(const Entry& entry, StageCatalog& catalog, Draft& draft,
                     Problems& problems) {
  const YamlNode& value = *entry.value;
  if (value.kind != YamlNode::Kind::kList) {
    draft.preprocess.push_back({.key = "preprocess"});
    load_stage(value, entry.at, catalog, draft.preprocess[0], problems);
    return;
  }
  const std::size_t count = value.items.size();
  if (count < 1 || count > kMostPreprocess) {
    problems.add(value.at, str("expected 1 to ", kMostPreprocess,
                               " stages, not ", count));
  }
  for (std::size_t i = 0; i < std::min(count, kMostPreprocess); ++i) {
    draft.preprocess.push_back({.key = str("preprocess.", i)});
    const YamlNode& item = *value.items[i];
    load_stage(item, item.at, catalog, draft.preprocess[i], problems);
  }
}

/// One stage, or a list of rules with the stage behind them.
void load_decode(const Entry& entry, StageCatalog& catalog, Draft& draft,
                 Problems& problems) {
  const YamlNode& value = *entry.value;
  if (value.kind != YamlNode::Kind::kList) {
    load_stage(value, entry.at, catalog, draft.decode, problems);
    return;
  }
  const std::size_t count = value.items.size();
  if (count < 1 || count > kMostRules + 1) {
    problems.add(value.at, str("expected a decode stage, and 1 to ", kMostRules,
                               " rules before it; not ", count, " stages"));
  }
  const std::size_t rules = std::min(count > 0 ? count - 1 : 0, kMostRules);
  for (std::size_t i = 0; i < rules; ++i) {
    draft.rules.push_back({.key = str("decode.", i), .kind = StageKind::kRule});
    const YamlNode& item = *value.items[i];
    load_stage(item, item.at, catalog, draft.rules[i], problems);
  }
  if (count == 0) return;
  const YamlNode& last = *value.items.back();
  load_stage(last, last.at, catalog, draft.decode, problems);
}

/// False: it is the key of no stage.
bool load_stages(const Entry& entry, StageCatalog& catalog, Draft& draft,
                 Problems& problems) {
  if (entry.key == "preprocess") {
    load_preprocess(entry, catalog, draft, problems);
    return true;
  }
  if (entry.key == draft.decode.key) {
    load_decode(entry, catalog, draft, problems);
    return true;
  }
  for (auto* stage : {&draft.batch, &draft.forward, &draft.postprocess}) {
    if (entry.key != stage->key) continue;
    load_stage(*entry.value, entry.at, catalog, *stage, problems);
    return true;
  }
  return false;
}

void load_keys(const YamlNode& root, StageCatalog& catalog, Draft& draft,
               Problems& problems) {
  for (const auto& entry : root.entries) {
    if (entry.key == "version") {
      load_version(*entry.value, problems);
    } else if (entry.key == "steps") {
      problems.add(entry.at,
                   "this file composes pipelines: it runs as a whole, not as "
                   "one of them");
    } else if (entry.key == "inputs") {
      continue;  // needs the stages, with their overrides
    } else if (!load_setting(entry, draft, problems) &&
               !load_stages(entry, catalog, draft, problems)) {
      problems.add(entry.at, unknown_key(entry.key, top_keys()));
    }
  }
}

void check_missing(const YamlNode& root, Problems& problems) {
  if (root.find("version") == nullptr) {
    problems.add(root.at, "'version' is missing; write version: 1");
  }
  if (root.find("steps") != nullptr) return;
  for (const auto& key : stage_keys()) {
    if (root.find(key) != nullptr) continue;
    problems.add(root.at, str("stage '", key, "' is missing; expected ", key,
                              ": {use: plugin.stage}"));
  }
}

/// Params against each other, with every override in force.
void check_conflicts(Draft& draft, Problems& problems) {
  for (const auto* stage : draft.stages()) {
    if (stage->config.spec == nullptr || !stage->is_complete) continue;
    const auto text = conflict_of(*stage->config.spec, stage->params.get());
    if (text.empty()) continue;
    if (stage->conflict.empty()) {
      problems.add_override(stage->overridden_by, text);
    } else {
      problems.add(stage->use_at, stage->config.spec->name + ": " + text);
    }
  }
}

StageConfig finished(StageDraft& stage, const PipelineFile& file) {
  StageConfig config = std::move(stage.config);
  config.params = std::move(stage.params);
  if (config.model_source.empty()) {
    config.model = std::get<std::string>(file.model.value);
  }
  if (config.device_source.empty()) {
    config.device = std::get<std::string>(file.device.value);
  }
  return config;
}

void finish_stages(Draft& draft) {
  PipelineFile& file = draft.file;
  for (auto* stage : draft.stages()) {
    file.notices.insert(file.notices.end(), stage->notices.begin(),
                        stage->notices.end());
  }
  for (auto& stage : draft.preprocess) {
    file.preprocess.push_back(finished(stage, file));
  }
  file.batch = finished(draft.batch, file);
  file.forward = finished(draft.forward, file);
  for (auto& stage : draft.rules) {
    file.rules.push_back(finished(stage, file));
  }
  file.decode = finished(draft.decode, file);
  file.postprocess = finished(draft.postprocess, file);
}

/// A finished file as it was before, to be changed.
Draft drafted(const PipelineFile& file) {
  Draft draft;
  const auto fill = [](StageDraft& stage, const StageConfig& config) {
    stage.is_present = stage.is_in_place = stage.is_complete = true;
    stage.config = config;
    stage.params = config.spec->params.copy(config.params.get());
  };
  for (std::size_t i = 0; i < file.preprocess.size(); ++i) {
    const bool is_only = file.preprocess.size() == 1;
    draft.preprocess.push_back(
        {.key = is_only ? "preprocess" : str("preprocess.", i)});
    fill(draft.preprocess.back(), file.preprocess[i]);
  }
  fill(draft.batch, file.batch);
  fill(draft.forward, file.forward);
  for (std::size_t i = 0; i < file.rules.size(); ++i) {
    draft.rules.push_back({.key = str("decode.", i), .kind = StageKind::kRule});
    fill(draft.rules.back(), file.rules[i]);
  }
  fill(draft.decode, file.decode);
  fill(draft.postprocess, file.postprocess);
  draft.file = file;
  draft.file.preprocess.clear();
  draft.file.rules.clear();
  return draft;
}

std::string default_name(const std::filesystem::path& path) {
  try {
    check_name(path.stem().string());
    return path.stem().string();
  } catch (const Error&) {
    return "pipeline";
  }
}

}  // namespace
}  // namespace config

StageCatalog::~StageCatalog() = default;
std::vector<const StageSpec*> StageCatalog::known() const { return {}; }

std::vector<const StageConfig*> PipelineFile::stages() const {
  std::vector<const StageConfig*> out;
  for (const auto& stage : preprocess) out.push_back(&stage);
  for (const auto* stage : {&batch, &forward}) out.push_back(stage);
  for (const auto& stage : rules) out.push_back(&stage);
  for (const auto* stage : {&decode, &postprocess}) out.push_back(stage);
  return out;
}

PipelineFile config::load_pipeline(const ParsedFile& parsed,
                                   StageCatalog& catalog,
                                   const std::vector<Override>& overrides) {
  const auto& [path, problems_so_far, root] = parsed;
  Problems problems = problems_so_far;
  if (root->kind != YamlNode::Kind::kMap) {
    problems.add(root->at,
                 "expected a map with version, preprocess, batch, "
                 "forward, decode, postprocess; not " +
                     description(*root));
    problems.throw_if_any();
  }
  Draft draft;
  draft.file.path = path;
  draft.file.name = default_name(path);
  draft.file.name_source = "default";
  draft.file.model = {std::string(), "default"};
  draft.file.device = {std::string("auto"), "default"};
  draft.file.threads = {std::int64_t{0}, "default"};
  load_keys(*root, catalog, draft, problems);
  check_missing(*root, problems);
  apply(overrides, draft, problems);
  check_conflicts(draft, problems);
  describe_stages(draft, problems);
  check_fit(draft, problems);
  check_notes(draft, catalog, problems);
  check_devices(draft, problems);
  deny_copies(draft, problems);
  finish_stages(draft);
  if (const Entry* inputs = root->find("inputs")) {
    const auto options = [&](const Entry& entry, InputConfig& input) {
      load_options(option_entries(entry, problems), entry.at, draft.file, "",
                   input, problems);
    };
    load_inputs(*inputs->value, draft.file.inputs, options, problems);
  }
  problems.throw_if_any();
  return std::move(draft.file);
}

PipelineFile load_pipeline_file(const std::filesystem::path& path,
                                StageCatalog& catalog,
                                const std::vector<Override>& overrides) {
  return config::load_pipeline(config::parse_file(path), catalog, overrides);
}

void override_params(PipelineFile& file,
                     const std::vector<Override>& overrides) {
  using namespace config;
  Problems problems(file.path);
  Draft draft = drafted(file);
  apply(overrides, draft, problems);
  check_conflicts(draft, problems);
  if (describe_stages(draft, problems)) check_fit(draft, problems);
  deny_copies(draft, problems);
  problems.throw_if_any();
  finish_stages(draft);
  file = std::move(draft.file);
}

}  // namespace penstock
