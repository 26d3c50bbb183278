#include "pipeline_new/template_text.h"

#include <optional>
#include <sstream>

namespace penstock::fresh {
namespace {

void replace_all(std::string& text, const std::string& from,
                 const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

/// "my_preprocess".
std::string word_of(StageKind kind) { return "my_" + to_string(kind); }

/// The kind of the stage that stands in `text`.
std::optional<StageKind> kind_in(const std::string& text) {
  for (const StageKind kind : kinds()) {
    const std::string word = word_of(kind);
    if (text.find(word) != std::string::npos ||
        text.find(camel_case(word)) != std::string::npos) {
      return kind;
    }
  }
  return {};
}

std::string with_stage(std::string text, const WantedStage& stage) {
  const std::string word = word_of(stage.kind);
  replace_all(text, word, stage.name);
  replace_all(text, camel_case(word), camel_case(stage.name));
  return text;
}

/// Inside a JSON string.
std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string with_names(std::string text, const Project& project) {
  replace_all(text, "my_plugin", project.plugin);
  replace_all(text, "MY_PLUGIN", upper_case(project.plugin));
  replace_all(text, "PENSTOCK_PREFIX", escaped(project.penstock));
  return text;
}

std::vector<WantedStage> of_kind(const Project& project, StageKind kind) {
  std::vector<WantedStage> stages;
  for (const WantedStage& stage : project.stages) {
    if (stage.kind == kind) stages.push_back(stage);
  }
  return stages;
}

/// What stands in the pipeline where the plugin has no stage of that kind.
std::string else_used(StageKind kind) {
  switch (kind) {
    case StageKind::kBatch:
      return "core.continuous";
    case StageKind::kForward:
      return "echo.forward";
    case StageKind::kDecode:
      return "core.sample, max_new_tokens: 32";
    case StageKind::kPostprocess:
      return "echo.text";
    default:
      return "";  // a list, which just lacks it
  }
}

/// A line of a pipeline file: a key stands there once, with the first stage;
/// the others are there to be put in its place.
std::string pipeline_lines(const std::string& line, StageKind kind,
                           const std::vector<WantedStage>& stages) {
  const bool is_list = line.starts_with(" ");
  std::string out;
  if (stages.empty() && !is_list) {
    out = line;
    replace_all(out, "my_plugin." + word_of(kind), else_used(kind));
    return out + "\n";
  }
  for (const WantedStage& stage : stages) {
    const bool is_further = !is_list && !out.empty();
    out += (is_further ? "# " : "") + with_stage(line, stage) + "\n";
  }
  return out;
}

std::string lines_of(const NewFile& file, const Project& project) {
  const bool is_pipeline = file.path.extension() == ".yaml";
  std::istringstream lines(file.text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const auto kind = kind_in(line);
    if (!kind) {
      out += line + "\n";
    } else if (const auto stages = of_kind(project, *kind); is_pipeline) {
      out += pipeline_lines(line, *kind, stages);
    } else {
      for (const auto& stage : stages) out += with_stage(line, stage) + "\n";
    }
  }
  return out;
}

/// "dot_gitignore" is not to be obeyed where the templates lie.
std::filesystem::path real_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with("dot_")) return path;
  return path.parent_path() / ("." + name.substr(4));
}

}  // namespace

std::vector<NewFile> instances(const NewFile& of, const Project& project) {
  const auto kind = kind_in(of.path.string());
  std::vector<NewFile> files;
  if (!kind) {
    files.push_back({of.path, lines_of(of, project)});
  } else {
    for (const WantedStage& stage : of_kind(project, *kind)) {
      files.push_back(
          {with_stage(of.path.string(), stage), with_stage(of.text, stage)});
    }
  }
  for (NewFile& file : files) {
    file.path = real_name(with_names(file.path.string(), project));
    file.text = with_names(std::move(file.text), project);
  }
  return files;
}

}  // namespace penstock::fresh
