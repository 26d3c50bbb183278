#include "pipeline_inspect/describe.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include "penstock/text.h"
#include "pipeline_inspect/table.h"

namespace penstock::inspect {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 80;

/// The start of `text` in `width` columns.
std::string cut(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  const std::string_view start = std::string_view(text).substr(0, width - 3);
  return text.substr(0, complete_utf8(start)) + "...";
}

/// In lines of at most 80 columns, each after `indent` spaces.
std::string wrapped(const std::string& text, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::istringstream words(text);
  std::string lines;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() &&
        margin.size() + line.size() + 1 + word.size() > kColumns) {
      lines += margin + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? lines : lines + margin + line + "\n";
}

std::string number(double value) { return to_string(ParamValue(value)); }

std::string range(const ParamSpec& param) {
  std::string words;
  for (const std::string& word : param.choices) {
    words += (words.empty() ? "" : "|") + word;
  }
  if (!words.empty()) return words;
  const auto bound = [&param](double value) {
    const bool is_whole = param.type() == ParamType::kInteger ||
                          param.type() == ParamType::kIntegers;
    return is_whole ? to_string(ParamValue(static_cast<std::int64_t>(value)))
                    : number(value);
  };
  if (param.min && param.max)
    return bound(*param.min) + ".." + bound(*param.max);
  if (param.min) return ">= " + bound(*param.min);
  if (param.max) return "<= " + bound(*param.max);
  return "any";
}

std::string param_table(const std::vector<ParamSpec>& params) {
  std::vector<std::vector<std::string>> rows{
      {"param", "type", "range", "default", "per request"}};
  for (const ParamSpec& param : params) {
    rows.push_back({param.name, to_string(param.type()), range(param),
                    to_string(param.fallback),
                    param.is_per_request ? "yes" : "no"});
  }
  const std::vector<std::string> lines = aligned(rows);
  std::string text = lines.front() + "\n";
  for (std::size_t i = 0; i < params.size(); ++i) {
    text += lines[i + 1] + "\n" + wrapped(params[i].doc, /*indent=*/6);
  }
  return text;
}

std::string port_lines(const std::string& label,
                       const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) {
    text +=
        "  " + padded(text.empty() ? label : "", 9) + to_string(port) + "\n";
  }
  return text;
}

/// makes, needs and uses, of notes and of facts.
std::string note_lines(const StageSpec& stage) {
  std::string text;
  const auto add = [&](const char* label,
                       std::vector<NoteSpec> NoteSpecs::*list) {
    bool is_first = true;
    for (const auto& [word, specs] :
         {std::pair{"note ", &stage.notes}, {"fact ", &stage.facts}}) {
      for (const NoteSpec& note : specs->*list) {
        text += "  " + padded(is_first ? label : "", 9) + word +
                to_string(note) + "\n";
        is_first = false;
      }
    }
  };
  add("makes", &NoteSpecs::makes);
  add("needs", &NoteSpecs::needs);
  add("uses", &NoteSpecs::uses);
  return text;
}

/// What programs find a param by.
std::string ability_lines(const std::vector<ParamSpec>& params) {
  std::string text;
  for (const ParamSpec& param : params) {
    if (param.ability == Ability::kNone) continue;
    text += "  " + padded(to_string(param.ability), 9) + "by param " +
            param.name + "\n";
  }
  return text;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

Json notes_json(const NoteSpecs& notes) {
  const auto texts = [](const std::vector<NoteSpec>& list) {
    Json out = Json::array();
    for (const NoteSpec& note : list) out.push_back(to_string(note));
    return out;
  };
  return {{"makes", texts(notes.makes)},
          {"needs", texts(notes.needs)},
          {"uses", texts(notes.uses)}};
}

/// Other spellings of its choices.
Json words_for(const ParamSpec& param) {
  Json words = Json::array();
  for (const auto& [word, choice] : param.aliases) {
    const auto& known = param.choices;
    if (std::find(known.begin(), known.end(), choice) != known.end()) {
      words.push_back(word);
    }
  }
  return words;
}

Json param_json(const ParamSpec& param) {
  Json json{{"name", param.name}, {"type", to_string(param.type())}};
  json["doc"] = param.doc;
  json["default"] =
      std::visit([](const auto& value) { return Json(value); }, param.fallback);
  if (param.min) json["min"] = *param.min;
  if (param.max) json["max"] = *param.max;
  if (!param.choices.empty()) json["choices"] = param.choices;
  const Json aliases = words_for(param);
  if (!aliases.empty()) json["aliases"] = aliases;
  if (!param.former.empty()) json["former"] = param.former;
  json["per_request"] = param.is_per_request;
  if (param.ability != Ability::kNone)
    json["ability"] = to_string(param.ability);
  return json;
}

Json port_texts(const std::vector<Port>& ports) {
  Json texts = Json::array();
  for (const Port& port : ports) texts.push_back(to_string(port));
  return texts;
}

}  // namespace

std::string stage_lines(const std::vector<StageSpec>& stages) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(stages.size());
  for (const StageSpec& stage : stages) {
    rows.push_back({stage.name, to_string(stage.kind), stage.doc});
  }
  std::string text;
  for (const std::string& line : aligned(rows))
    text += cut(line, kColumns) + "\n";
  return text;
}

std::string stage_text(const StageSpec& stage) {
  std::string text = stage.name + " (" + to_string(stage.kind) + ")\n";
  text += wrapped(stage.doc, /*indent=*/2);
  text += port_lines("inputs", stage.inputs);
  text += port_lines("outputs", stage.outputs);
  if (stage.describe) {
    text += stage.describes_params ? "  ports    those of its params\n"
                                   : "  ports    those of the model's file\n";
  }
  std::vector<std::string> layouts;
  for (const Layout layout : stage.layouts)
    layouts.push_back(to_string(layout));
  if (!layouts.empty()) {
    text += "  " + padded("layouts", 9) + listed(layouts) + "\n";
  }
  if (!stage.devices.empty()) {
    text += "  " + padded("devices", 9) + listed(stage.devices) + "\n";
  }
  text += port_lines("next", stage.next_inputs);
  text += note_lines(stage);
  const auto& params = stage.params.specs();
  text += ability_lines(params);
  return text + (params.empty() ? "  no params\n" : param_table(params));
}

Json stage_json(const StageSpec& stage) {
  Json json{{"name", stage.name}, {"kind", to_string(stage.kind)}};
  if (!stage.former.empty()) json["former"] = stage.former;
  json["doc"] = stage.doc;
  json["inputs"] = port_texts(stage.inputs);
  json["outputs"] = port_texts(stage.outputs);
  if (stage.describe) {
    json[stage.describes_params ? "ports_of_params" : "ports_of_model"] = true;
  }
  json["layouts"] = Json::array();
  for (const Layout layout : stage.layouts)
    json["layouts"].push_back(to_string(layout));
  json["next_inputs"] = port_texts(stage.next_inputs);
  json["notes"] = notes_json(stage.notes);
  json["facts"] = notes_json(stage.facts);
  json["devices"] = stage.devices;
  json["params"] = Json::array();
  for (const ParamSpec& param : stage.params.specs()) {
    json["params"].push_back(param_json(param));
  }
  return json;
}

}  // namespace penstock::inspect
