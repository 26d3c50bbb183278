// load_file(): from `steps:` to the pipeline files of the steps.
#include "penstock/composition_file.h"

#include <algorithm>

#include "base/quote.h"
#include "config/file_loader.h"
#include "config/inputs_loader.h"
#include "config/source_text.h"
#include "config/values.h"
#include "config/yaml_reader.h"

namespace penstock {
namespace config {
namespace {

constexpr std::size_t kMostSteps = 16;

const std::vector<std::string> kKeys = {"version", "name",  "device",
                                        "threads", "steps", "inputs"};
const std::vector<std::string> kStepKeys = {"pipeline", "in", "set"};

std::vector<std::string> names(const std::vector<StepConfig>& steps) {
  std::vector<std::string> out;
  out.reserve(steps.size());
  for (const StepConfig& step : steps) out.push_back(step.name);
  return out;
}

/// "answer.decode.top_k" as "answer" and "decode.top_k".
std::pair<std::string, std::string> split(const std::string& key) {
  const auto dot = key.find('.');
  if (dot == std::string::npos) return {key, ""};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

class Loader {
 public:
  Loader(CompositionFile& file, StageCatalog& catalog,
         const std::vector<Override>& overrides, const FindPipeline& find,
         Problems& problems)
      : file_(file),
        catalog_(catalog),
        overrides_(overrides),
        find_(find),
        problems_(problems) {}

  void load(const YamlNode& root);

 private:
  void load_setting(const Entry& entry);
  void load_steps(const YamlNode& value);
  void load_step(const Entry& entry);
  void load_pipeline(const YamlNode& value, StepConfig& step);
  void load_edges(const YamlNode& value, StepConfig& step);
  void load_edge(const Entry& entry, StepConfig& step);
  void load_set(const YamlNode& value);
  void load_options(const Entry& options, InputConfig& input);
  [[nodiscard]] std::vector<Override> overrides_of(const std::string& step);
  void check_overrides();

  CompositionFile& file_;
  StageCatalog& catalog_;
  const std::vector<Override>& overrides_;
  const FindPipeline& find_;
  Problems& problems_;
  std::vector<Override> shared_;  ///< device and threads of this file
  std::vector<Override> set_;     ///< of the step that is being read
};

void Loader::load_setting(const Entry& entry) {
  const bool is_threads = entry.key == "threads";
  const auto text =
      read_scalar(*entry.value, is_threads ? "a number" : "a text", problems_);
  if (!text) return;
  try {
    if (entry.key == "version") {
      if (text->text == "1" && !text->quoted) return;
      throw Error(Code::kData, "expected version 1, not " + shown(text->text));
    }
    if (entry.key == "name") {
      check_name(text->text);
      file_.name = text->text;
      return;
    }
    if (is_threads) (void)parse_param(threads_spec(), *text);
    if (entry.key == "device") check_device(text->text);
    shared_.push_back(
        {entry.key, text->text, problems_.place(entry.value->at)});
  } catch (const Error& error) {
    problems_.add(entry.value->at, error.text());
  }
}

void Loader::load_edge(const Entry& entry, StepConfig& step) {
  InputEdge& edge = step.in[entry.key];
  const YamlNode& value = *entry.value;
  if (value.kind == YamlNode::Kind::kScalar) {
    const auto text = read_scalar(value, "an input's name", problems_);
    if (text) edge.input = text->text;
    return;
  }
  const Entry* each = value.find("each");
  if (value.entries.size() != 1 || each == nullptr) {
    problems_.add(value.at,
                  "expected the name of the request's input, or "
                  "{each: STEP} for the outputs of a step above");
    return;
  }
  const auto text = read_scalar(*each->value, "a step's name", problems_);
  if (!text) return;
  if (file_.find(text->text) < 0) {
    const auto known = names(file_.steps);
    problems_.add(each->value->at,
                  str("there is no step ", shown(text->text), " above",
                      known.empty() ? "" : "; known: ", joined(known)));
    return;
  }
  if (!step.source().empty()) {
    problems_.add(each->at,
                  "one input of a step comes from another step, not "
                  "several");
    return;
  }
  edge.each = text->text;
}

void Loader::load_edges(const YamlNode& value, StepConfig& step) {
  if (value.kind != YamlNode::Kind::kMap || value.entries.empty()) {
    problems_.add(value.at,
                  "expected a map such as {text: {each: speech}}, "
                  "not " +
                      description(value));
    return;
  }
  for (const Entry& entry : value.entries) load_edge(entry, step);
}

void Loader::load_set(const YamlNode& value) {
  if (value.kind != YamlNode::Kind::kMap) {
    problems_.add(value.at, "expected a map such as {decode.top_k: 40}, not " +
                                description(value));
    return;
  }
  for (const Entry& entry : value.entries) {
    const auto raw = read_raw(*entry.value, "a value", problems_);
    if (!raw) continue;
    set_.push_back({entry.key, yaml_of(*raw), problems_.place(entry.at)});
  }
}

/// Weakest first: the composition's own device and threads, `set:`, and what
/// the environment and the command line say.
std::vector<Override> Loader::overrides_of(const std::string& step) {
  std::vector<Override> all = shared_;
  all.insert(all.end(), set_.begin(), set_.end());
  for (const Override& given : overrides_) {
    const auto [first, rest] = split(given.key);
    if (given.key == "device" || given.key == "threads") {
      all.push_back(given);
    } else if (first == step && !rest.empty()) {
      all.push_back({rest, given.value, given.source + " " + given.key});
    }
  }
  return all;
}

void Loader::load_pipeline(const YamlNode& value, StepConfig& step) {
  const auto text =
      read_scalar(value, "the name of a pipeline file", problems_);
  if (!text) return;
  try {
    const auto folder = file_.path.parent_path();
    const auto parsed =
        parse_file(find_ ? find_(text->text, folder) : folder / text->text);
    if (parsed.has_steps()) {
      throw Error(Code::kData, shown(text->text) +
                                   " composes pipelines itself; a step is "
                                   "one pipeline");
    }
    step.file =
        config::load_pipeline(parsed, catalog_, overrides_of(step.name));
  } catch (const ConfigError& error) {
    for (const auto& line : error.problems()) problems_.add_elsewhere(line);
  } catch (const Error& error) {
    problems_.add(value.at, error.text(), error.code());
  }
}

void Loader::load_step(const Entry& entry) {
  StepConfig step;
  step.name = entry.key;
  set_.clear();
  const YamlNode& value = *entry.value;
  try {
    check_name(entry.key);
    if (entry.key.find('.') != std::string::npos) {
      throw Error(Code::kData, "a step's name has no dot");
    }
  } catch (const Error& error) {
    problems_.add(entry.at, error.text());
  }
  const Entry* pipeline = value.find("pipeline");
  if (value.kind != YamlNode::Kind::kMap || pipeline == nullptr) {
    problems_.add(value.at,
                  "expected {pipeline: FILE} with, where needed, "
                  "`in` and `set`; not " +
                      description(value));
    file_.steps.push_back(std::move(step));  // those below may name it
    return;
  }
  for (const Entry& part : value.entries) {
    if (part.key == "in") {
      load_edges(*part.value, step);
    } else if (part.key == "set") {
      load_set(*part.value);
    } else if (part.key != "pipeline") {
      problems_.add(part.at, unknown_key(part.key, kStepKeys));
    }
  }
  load_pipeline(*pipeline->value, step);
  file_.steps.push_back(std::move(step));
}

void Loader::load_steps(const YamlNode& value) {
  if (value.kind != YamlNode::Kind::kMap || value.entries.empty() ||
      value.entries.size() > kMostSteps) {
    problems_.add(value.at, str("expected a map of 1 to ", kMostSteps,
                                " steps such as speech: {pipeline: FILE}, "
                                "not ",
                                description(value)));
    return;
  }
  for (const Entry& entry : value.entries) load_step(entry);
}

void Loader::load_options(const Entry& options, InputConfig& input) {
  const auto entries = option_entries(options, problems_);
  for (const StepConfig& step : file_.steps) {
    std::vector<Entry> own;
    std::copy_if(
        entries.begin(), entries.end(), std::back_inserter(own),
        [&](const Entry& e) { return split(e.key).first == step.name; });
    if (own.empty()) continue;
    config::load_options(own, options.at, step.file, step.name + ".", input,
                         problems_);
  }
  for (const Entry& entry : entries) {
    if (file_.find(split(entry.key).first) >= 0) continue;
    problems_.add(entry.at, "option " + shown(entry.key) +
                                " names no step; write STEP." + entry.key);
  }
}

void Loader::check_overrides() {
  for (const Override& given : overrides_) {
    const auto [first, rest] = split(given.key);
    if (given.key == "device" || given.key == "threads") continue;
    if (file_.find(first) >= 0 && !rest.empty()) continue;
    problems_.add_override(given.source + " " + given.key,
                           "names no step; write STEP." + given.key +
                               ", the steps are " + joined(names(file_.steps)));
  }
}

void Loader::load(const YamlNode& root) {
  const Entry* steps = root.find("steps");
  for (const Entry& entry : root.entries) {
    if (entry.key == "steps" || entry.key == "inputs") continue;
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) == kKeys.end()) {
      problems_.add(entry.at, unknown_key(entry.key, kKeys));
    } else {
      load_setting(entry);
    }
  }
  if (root.find("version") == nullptr) {
    problems_.add(root.at, "'version' is missing; write version: 1");
  }
  if (steps == nullptr) {
    problems_.add(root.at, "'steps' is missing");
    return;
  }
  load_steps(*steps->value);
  if (problems_.count() > 0) return;  // its options need whole steps
  check_overrides();
  const auto options = [this](const Entry& entry, InputConfig& input) {
    load_options(entry, input);
  };
  if (const Entry* inputs = root.find("inputs")) {
    load_inputs(*inputs->value, file_.inputs, options, problems_);
  }
}

}  // namespace
}  // namespace config

std::string StepConfig::source() const {
  const auto found = std::find_if(in.begin(), in.end(), [](const auto& entry) {
    return !entry.second.each.empty();
  });
  return found == in.end() ? "" : found->second.each;
}

int CompositionFile::find(const std::string& step) const {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].name == step) return static_cast<int>(i);
  }
  return -1;
}

config::ParsedFile config::parse_file(const std::filesystem::path& path) {
  Problems problems(path);
  auto root = read_yaml(read_source(path, problems), problems);
  return {.path = path, .problems = problems, .root = std::move(root)};
}

CompositionFile composition_of(PipelineFile file) {
  CompositionFile out;
  out.path = file.path;
  out.name = file.name;
  out.inputs = file.inputs;
  out.steps.push_back({.name = "", .file = std::move(file), .in = {}});
  return out;
}

CompositionFile load_file(const std::filesystem::path& path,
                          StageCatalog& catalog,
                          const std::vector<Override>& overrides,
                          const FindPipeline& find) {
  const config::ParsedFile parsed = config::parse_file(path);
  if (!parsed.has_steps()) {
    return composition_of(config::load_pipeline(parsed, catalog, overrides));
  }
  config::Problems problems = parsed.problems;
  CompositionFile file;
  file.path = path;
  file.name = path.stem().string();
  config::Loader(file, catalog, overrides, find, problems).load(*parsed.root);
  problems.throw_if_any();
  return file;
}

std::vector<std::map<std::string, Raw>> options_of_steps(
    const CompositionFile& file, const std::map<std::string, Raw>& options) {
  if (file.is_one()) return {options};
  std::vector<std::map<std::string, Raw>> out(file.steps.size());
  for (const auto& [key, value] : options) {
    const auto [first, rest] = config::split(key);
    const int step = file.find(first);
    if (step < 0 || rest.empty()) {
      throw Error(Code::kData,
                  str("option ", shown(key), " names no step; the steps are ",
                      joined(config::names(file.steps))));
    }
    out[static_cast<std::size_t>(step)][rest] = value;
  }
  return out;
}

}  // namespace penstock
