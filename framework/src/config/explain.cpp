// explain(): a pipeline file with every value in force, as YAML that
// load_pipeline_file() accepts and that means the same.
#include <algorithm>
#include <string_view>

#include "base/quote.h"
#include "config/values.h"
#include "penstock/pipeline_file.h"

namespace penstock {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kRightmost = 40;  ///< of the column of comments

struct Line {
  std::string code;
  std::string comment = {};
};

class Writer {
 public:
  explicit Writer(const PipelineFile& file) : file_(file) {}

  [[nodiscard]] std::string write();

 private:
  void add(std::string code, const std::string& source = "") {
    lines_.push_back(
        {std::move(code), source.empty() ? "" : shortened(source)});
  }
  void add_stage(const StageConfig& stage, const std::string& first,
                 const std::string& indent);
  void add_stages(StageKind kind,
                  const std::vector<const StageConfig*>& stages);
  void add_stages();
  void add_input(const InputConfig& input);
  [[nodiscard]] std::string shortened(const std::string& source) const;
  [[nodiscard]] std::string aligned() const;

  const PipelineFile& file_;
  std::vector<Line> lines_;
};

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      '?');
  return text;
}

/// A folder of the path says nothing new on every line.
std::string Writer::shortened(const std::string& source) const {
  const std::string path = file_.path.string();
  const bool is_file = source.starts_with(path + ":");
  return one_line(is_file ? file_.path.filename().string() +
                                source.substr(path.size())
                          : source);
}

void Writer::add_stage(const StageConfig& stage, const std::string& first,
                       const std::string& indent) {
  add(first + "use: " + yaml_text(stage.spec->name), stage.place);
  if (!stage.model_source.empty()) {
    add(indent + "model: " + yaml_text(stage.model), stage.model_source);
  }
  if (!stage.device_source.empty()) {
    const bool is_list = stage.device.starts_with('[');
    add(indent +
            "device: " + (is_list ? stage.device : yaml_text(stage.device)),
        stage.device_source);
  }
  for (const auto& spec : stage.spec->params.specs()) {
    const auto& setting = stage.settings.at(spec.name);
    add(indent + yaml_text(spec.name) + ": " + to_string(setting.value),
        setting.source);
  }
}

void Writer::add_stages(StageKind kind,
                        const std::vector<const StageConfig*>& stages) {
  const bool is_list = stages.size() > 1;
  add(to_string(kind) + ":");
  for (const auto* stage : stages) {
    add_stage(*stage, is_list ? "  - " : "  ", is_list ? "    " : "  ");
  }
}

void Writer::add_stages() {
  std::vector<const StageConfig*> first;
  for (const auto& stage : file_.preprocess) first.push_back(&stage);
  add_stages(StageKind::kPreprocess, first);
  const auto one = [&](StageKind kind, const StageConfig& stage) {
    add("");
    add_stages(kind, {&stage});
  };
  one(StageKind::kBatch, file_.batch);
  one(StageKind::kForward, file_.forward);
  std::vector<const StageConfig*> decode;
  for (const auto& rule : file_.rules) decode.push_back(&rule);
  decode.push_back(&file_.decode);
  add("");
  add_stages(StageKind::kDecode, decode);
  one(StageKind::kPostprocess, file_.postprocess);
}

void Writer::add_input(const InputConfig& input) {
  std::vector<std::string> codes;
  if (!input.id.empty()) codes.push_back("id: " + yaml_text(input.id));
  for (const auto& [name, value] : input.values) {
    codes.push_back(yaml_text(name) + ": " + yaml_text(value));
  }
  if (!input.options.empty()) codes.emplace_back("options:");
  for (const auto& [name, raw] : input.options) {
    codes.push_back("  " + yaml_text(name) + ": " + config::yaml_of(raw));
  }
  if (codes.empty()) codes.emplace_back("{}");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    add((i == 0 ? "  - " : "    ") + codes[i], i == 0 ? input.place : "");
  }
}

std::string Writer::aligned() const {
  std::size_t column = 0;
  for (const auto& line : lines_) {
    if (line.code.size() <= kRightmost && !line.comment.empty()) {
      column = std::max(column, line.code.size());
    }
  }
  std::string out;
  for (const auto& [code, comment] : lines_) {
    if (comment.empty()) {
      out += code + "\n";
      continue;
    }
    const std::string tail = "  # " + comment;
    const std::size_t begin = std::max(column, code.size());
    if (begin + tail.size() > kWidth && code.size() > column) {
      const auto indent = code.find_first_not_of(' ');
      out.append(indent, ' ').append("# ").append(comment).append("\n");
      out.append(code).append("\n");
    } else {
      out.append(code).append(begin - code.size(), ' ');
      out.append(tail).append("\n");
    }
  }
  return out;
}

std::string Writer::write() {
  add("version: 1");
  add("name: " + yaml_text(file_.name), file_.name_source);
  const auto add_setting = [this](const char* key, const Setting& setting) {
    add(std::string(key) + ": " + to_string(setting.value), setting.source);
  };
  const bool has_model = file_.model.value != ParamValue(std::string());
  if (has_model || file_.model.source != "default") {
    add_setting("model", file_.model);
  }
  add_setting("device", file_.device);
  add_setting("threads", file_.threads);
  add("");
  add_stages();
  if (!file_.inputs.empty()) {
    add("");
    add("inputs:");
  }
  for (const auto& input : file_.inputs) add_input(input);
  return "# " + one_line(file_.path.string()) +
         ", with every value in force\n" + aligned();
}

}  // namespace

std::string explain(const PipelineFile& file) { return Writer(file).write(); }

}  // namespace penstock
