#include "pipeline_new/new_model.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "penstock/error.h"
#include "penstock/json.h"
#include "penstock/model_head.h"
#include "penstock/model_ports.h"
#include "penstock/pipeline_file.h"
#include "penstock/plugin_host.h"
#include "pipeline_new/names.h"
#include "pipeline_new/recipes.h"

namespace penstock::fresh {
namespace {

namespace fs = std::filesystem;

/// "mobile_net_v2" of "MobileNet-v2.onnx", and of "mobile_net-v2/model.onnx".
std::string name_of(const fs::path& model) {
  const fs::path folder = fs::absolute(model).parent_path().filename();
  std::string name;
  for (const char c :
       (model.stem() == "model" ? folder : model.stem()).string()) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 && byte < 128
                ? static_cast<char>(std::tolower(byte))
                : '_';
  }
  if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0) {
    name = "model_" + name;
  }
  return name.substr(0, 64);
}

struct Way {
  Recipe in, out;
};

/// What runs a format.
struct Engine {
  const char *plugin, *missing;
};
constexpr Engine kOpenvino{"openvino",
                           "no plugin here runs exported models: `tools/setup "
                           "--with openvino`, then build again; or "
                           "--plugin-path"};
constexpr Engine kTorch{"torch",
                        "the plugin 'torch' is not here, which runs models of "
                        "PyTorch; it is built with libtorch 2.8 or later"};

const Engine& engine_of(const ModelHead& head) {
  const bool is_torch = head.format == "torch.export" ||
                        head.format == "torchscript" ||
                        head.format == "aotinductor";
  return is_torch ? kTorch : kOpenvino;
}

/// "[a, b]" with quotes, behind a comma; nothing of none.
std::string setting(const std::string& param,
                    const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    list += (list.empty() ? "" : ", ") + json_quoted(text);
  }
  return list.empty() ? "" : str(", ", param, ": [", list, "]");
}

std::string pipeline_of(const std::string& name, const ModelHead& head,
                        const ModelPorts& ports, const Way& way) {
  std::vector<std::string> names = way.in.names;
  names.insert(names.end(), way.out.names.begin(), way.out.names.end());
  std::vector<std::string> turned;
  for (const ModelInput& input : ports.inputs) {
    if (input.is_channels_last) turned.push_back(input.file.name);
  }
  const bool is_batched = ports.rows == ModelRows::kBatch;
  const bool is_runnable = way.in.request.find("FILE") == std::string::npos &&
                           way.in.request.find("...") == std::string::npos;
  std::string text =
      str("version: 1\nname: ", name,
          "\nmodel: ", json_quoted(head.path.string()), "\n\n", way.in.yaml,
          "batch: {use: core.stack, max_sequences: ", is_batched ? 8 : 1,
          way.in.is_padded ? ", fit: pad" : "", "}\n");
  text += str("forward: {use: ", engine_of(head).plugin, ".forward",
              setting("names", names), setting("channels_last", turned), "}\n",
              way.out.yaml, "\n");
  if (is_runnable) return text + "inputs:\n  - " + way.in.request + "\n";
  return text + "# inputs:\n#   - " + way.in.request + "\n";
}

/// What the check of files says against it; nothing: it is a pipeline.
std::optional<std::string> fault_of(const std::string& text,
                                    StageCatalog& catalog) {
  const Draft draft(text);
  try {
    (void)load_pipeline_file(draft.path(), catalog);
    return std::nullopt;
  } catch (const ConfigError& error) {
    return error.problems().front();
  }
}

std::string listed(const ModelPorts& ports) {
  std::string text;
  for (const ModelInput& input : ports.inputs) {
    text += "\n  input  " + to_string(input.port);
  }
  for (const ModelOutput& output : ports.outputs) {
    text += "\n  output " + to_string(output.port);
  }
  return text;
}

[[noreturn]] void refuse(const ModelPorts& ports, const std::string& faults) {
  throw Error(Code::kData,
              str("no stages fit this model:", listed(ports), faults));
}

void check_can_run(PluginHost& host, const Engine& engine) {
  const auto& plugins = host.plugins();
  const bool is_there = std::any_of(
      plugins.begin(), plugins.end(),
      [&](const PluginFacts& plugin) { return plugin.name == engine.plugin; });
  if (!is_there) throw Error(Code::kUnavailable, engine.missing);
}

}  // namespace

Told new_model(const ModelFileOptions& options) {
  const std::string name = options.name.empty() ? name_of(options.model)
                                                : without_yaml(options.name);
  check_file_name(name);
  const fs::path path = name + ".yaml";
  check_is_free(path);
  const ModelHead head = read_model_head(options.model);
  const ModelPorts ports =
      model_ports(head, {.channels_last = channels_last(model_ports(head))});
  PluginHost host(options.folders);
  check_can_run(host, engine_of(head));
  const std::size_t labels = labels_of(head).size();
  std::string faults;
  std::string others;
  std::optional<Way> chosen;
  for (const Recipe& in : ways_in(ports)) {
    for (const Recipe& out : ways_out(ports, labels, in)) {
      const Way way{in, out};
      const auto fault = fault_of(pipeline_of(name, head, ports, way), host);
      if (fault) {
        faults += str("\n  ", in.what, " to ", out.what, ": ", *fault);
      } else if (!chosen) {
        chosen = way;
      } else {
        others += str("\n  or       ", in.what, " to ", out.what);
      }
    }
  }
  if (!chosen) refuse(ports, faults);
  write_file(path, pipeline_of(name, head, ports, *chosen));
  return {.text = str(path.string(), ": written and checked", listed(ports),
                      "\n  takes    ", chosen->in.what, "\n  gives    ",
                      chosen->out.what, others,
                      "\nIts comments say what only you know of the model.\n"),
          .warnings = {}};
}

}  // namespace penstock::fresh
