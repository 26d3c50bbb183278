#include "pipeline_inspect/model_report.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "penstock/model_ports.h"
#include "penstock/text.h"
#include "pipeline_inspect/table.h"

namespace penstock::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestValue = 60;

/// A row each: the label at the first, the port, what the file has.
template <class Tensors>
void add_rows(const std::string& label, const Tensors& tensors,
              std::vector<std::vector<std::string>>& rows) {
  bool is_first = true;
  for (const auto& tensor : tensors) {
    rows.push_back({is_first ? label : "", to_string(tensor.port),
                    "in the file: " + to_string(tensor.file)});
    is_first = false;
  }
}

void add_rows(const std::string& label, const std::vector<ModelTensor>& tensors,
              std::vector<std::vector<std::string>>& rows) {
  bool is_first = true;
  for (const ModelTensor& tensor : tensors) {
    rows.push_back({is_first ? label : "", to_string(tensor), ""});
    is_first = false;
  }
}

/// On one line, cut where it is long.
std::string short_value(const std::string& value) {
  std::string line;
  for (const char c : value) {
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    if (line.size() > kLongestValue) break;
  }
  if (value.size() <= kLongestValue) return line;
  const auto end = complete_utf8(std::string_view(line).substr(0, 50));
  return line.substr(0, end) + str("... (", value.size(), " bytes)");
}

std::string rows_text(ModelRows rows) {
  switch (rows) {
    case ModelRows::kBatch:
      return "batch";
    case ModelRows::kOne:
      return "one";
    case ModelRows::kNoRows:
      return "none";
  }
  return "";
}

/// "1 to 64", "2 or more"
std::string to_string(const ModelRange& range) {
  return range.most ? str(range.least, " to ", *range.most)
                    : str(range.least, " or more");
}

std::string text_of(const ModelHead& head,
                    const std::optional<ModelPorts>& ports) {
  std::string text = str(head.path.string(), "\n  ", head.format);
  if (!head.version.empty()) text += ", " + head.version;
  text += str(", ", head.bytes, " bytes");
  if (!head.made_by.empty()) text += ", made by " + short_value(head.made_by);
  for (const auto& file : head.weight_files) {
    text += "\n  weights in " + file.string();
  }
  std::vector<std::vector<std::string>> rows;
  if (ports) {
    add_rows("inputs", ports->inputs, rows);
    add_rows("outputs", ports->outputs, rows);
    rows.push_back({"rows", rows_text(ports->rows), ""});
  } else {
    add_rows("inputs", head.inputs, rows);
    add_rows("outputs", head.outputs, rows);
  }
  for (const auto& [dim, range] : head.ranges) {
    rows.push_back({"dim " + dim, to_string(range), ""});
  }
  const auto labels = labels_of(head);
  if (!labels.empty()) {
    rows.push_back({"labels", std::to_string(labels.size()), ""});
  }
  text += "\n";
  for (const auto& line : aligned(rows)) text += line + "\n";
  for (const auto& [key, value] : head.metadata) {
    text += "  metadata " + short_value(key) + ": " + short_value(value) + "\n";
  }
  return text;
}

Json tensors_json(const std::vector<ModelTensor>& tensors) {
  Json list = Json::array();
  for (const ModelTensor& tensor : tensors) {
    Json dims = Json::array();
    for (const std::string& dim : tensor.dims) dims.push_back(dim);
    list.push_back({{"name", tensor.name}, {"dtype", tensor.dtype}});
    list.back()["dims"] = tensor.has_rank ? dims : Json();
  }
  return list;
}

Json ports_json(const std::vector<Port>& ports) {
  Json list = Json::array();
  for (const Port& port : ports) list.push_back(to_string(port));
  return list;
}

std::string json_of(const ModelHead& head,
                    const std::optional<ModelPorts>& ports,
                    const std::string& problem) {
  Json json{{"path", head.path.string()},
            {"format", head.format},
            {"version", head.version},
            {"made_by", head.made_by},
            {"bytes", head.bytes}};
  json["inputs"] = tensors_json(head.inputs);
  json["outputs"] = tensors_json(head.outputs);
  json["ranges"] = Json::object();
  for (const auto& [dim, range] : head.ranges) {
    json["ranges"][dim] = {{"least", range.least}, {"most", Json()}};
    if (range.most) json["ranges"][dim]["most"] = *range.most;
  }
  json["ports"] = Json();
  if (ports) {
    const Ports made = ports->ports();
    json["ports"] = {{"inputs", ports_json(made.inputs)},
                     {"outputs", ports_json(made.outputs)},
                     {"rows", rows_text(ports->rows)}};
  }
  json["labels"] = labels_of(head);
  json["metadata"] = Json::object();
  for (const auto& [key, value] : head.metadata) json["metadata"][key] = value;
  json["problem"] = problem.empty() ? Json() : Json(problem);
  return json.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

}  // namespace

Report report_model(const std::string& path, bool is_json) {
  const ModelHead head = read_model_head(path);
  Report report;
  std::optional<ModelPorts> ports;
  try {
    ports = model_ports(head);
  } catch (const Error& error) {
    report.problems.push_back(error);
  }
  const std::string problem =
      report.problems.empty() ? "" : report.problems.front().text();
  report.text = is_json ? json_of(head, ports, problem) : text_of(head, ports);
  return report;
}

}  // namespace penstock::inspect
