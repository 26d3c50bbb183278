#include "config/inputs_loader.h"

#include <algorithm>
#include <map>

#include "base/quote.h"
#include "config/options.h"
#include "config/values.h"

namespace penstock::config {
namespace {

/// Options cannot be judged while a stage is unknown.
bool knows_every_stage(const PipelineFile& file) {
  const auto stages = file.stages();
  return std::all_of(stages.begin(), stages.end(),
                     [](const auto* stage) { return stage->spec != nullptr; });
}

void load_option(const Entry& entry, const PipelineFile& file,
                 const std::string& name, Overlay& overlay, InputConfig& input,
                 Problems& problems) {
  Option option;
  try {
    option = find_option(file, name);
  } catch (const Error& error) {
    problems.add(entry.at, error.text());
    return;
  }
  const auto raw = read_raw(*entry.value, expected(*option.spec), problems);
  if (!raw) return;
  try {
    overlay.set(option, parse_param(*option.spec, *raw));
    input.options[entry.key] = *raw;
  } catch (const Error& error) {
    problems.add(entry.value->at, error.text());
  }
}

void load_value(const Entry& entry, InputConfig& input, Problems& problems) {
  try {
    check_name(entry.key);
  } catch (const Error& error) {
    problems.add(entry.at, error.text());
    return;
  }
  const auto text =
      read_scalar(*entry.value, "a text or the path of a file", problems);
  if (text) input.values[entry.key] = text->text;
}

void load_id(const YamlNode& value, InputConfig& input,
             std::map<std::string, int>& lines, Problems& problems) {
  const auto text = read_scalar(value, "a name", problems);
  if (!text) return;
  try {
    check_name(text->text);
    input.id = text->text;
  } catch (const Error& error) {
    problems.add(value.at, error.text());
    return;
  }
  const auto [known, is_new] = lines.emplace(input.id, value.at.line);
  if (is_new) return;
  problems.add(value.at, str("id ", shown(input.id), " is already on line ",
                             known->second));
}

}  // namespace

std::vector<Entry> option_entries(const Entry& options, Problems& problems) {
  const YamlNode& value = *options.value;
  if (value.kind == YamlNode::Kind::kMap) return value.entries;
  problems.add(value.at, "expected a map of params, not " + description(value));
  return {};
}

void load_options(const std::vector<Entry>& entries, Mark at,
                  const PipelineFile& file, const std::string& strip,
                  InputConfig& input, Problems& problems) {
  if (!knows_every_stage(file)) return;
  Overlay overlay(file);
  const auto before = problems.count();
  for (const auto& entry : entries) {
    load_option(entry, file, entry.key.substr(strip.size()), overlay, input,
                problems);
  }
  const auto conflict = overlay.conflict();
  if (problems.count() == before && !conflict.empty()) {
    problems.add(at, conflict);
  }
}

void load_inputs(const YamlNode& value, std::vector<InputConfig>& inputs,
                 const LoadOptions& load_options, Problems& problems) {
  if (value.kind != YamlNode::Kind::kList) {
    problems.add(value.at,
                 "expected a list of maps such as - {text: Hi}, not " +
                     description(value));
    return;
  }
  std::map<std::string, int> lines;
  for (const auto& item : value.items) {
    if (item->kind != YamlNode::Kind::kMap) {
      problems.add(item->at, "expected a map such as {text: Hi}, not " +
                                 description(*item));
      continue;
    }
    InputConfig input;
    input.place = problems.place(item->at);
    for (const auto& entry : item->entries) {
      if (entry.key == "id") {
        load_id(*entry.value, input, lines, problems);
      } else if (entry.key == "options") {
        load_options(entry, input);
      } else {
        load_value(entry, input, problems);
      }
    }
    inputs.push_back(std::move(input));
  }
}

}  // namespace penstock::config
