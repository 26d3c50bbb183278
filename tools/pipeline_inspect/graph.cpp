#include "pipeline_inspect/graph.h"

#include <algorithm>
#include <vector>

#include "penstock/placement.h"

namespace penstock::inspect {
namespace {

struct Node {
  std::string id, key, use;
  std::vector<std::string> notes;  ///< lines about it
};

struct Edge {
  std::string from, to, label;
  bool is_each = false;  ///< a request for each output
  bool is_back = false;  ///< the loop's way back
};

struct Group {
  std::string id, name;
  std::vector<Node> nodes;
};

struct Graph {
  std::vector<Node> inputs;
  std::vector<Group> groups;
  std::vector<Edge> edges;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string ports(const std::vector<Port>& list) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const Port& port : list) texts.push_back(to_string(port));
  return joined(texts);
}

std::string notes_of(const NoteSpecs& notes) {
  std::vector<std::string> texts;
  for (const NoteSpec& note : notes.makes) {
    texts.push_back("note " + to_string(note));
  }
  return joined(texts);
}

/// Made on one side and read on the other.
std::string label(const StageSpec& from, const StageSpec& to) {
  std::string made = ports(from.outputs);
  if (!made.empty()) return made;
  if (from.kind == StageKind::kBatch) return to_string(from.layouts.front());
  const std::string notes = notes_of(from.notes);
  return notes.empty() ? ports(to.inputs) : notes;
}

Node node_of(const StageConfig& stage, const std::string& prefix,
             std::size_t number) {
  Node node{.id = prefix + std::to_string(number),
            .key = to_string(stage.spec->kind),
            .use = stage.spec->name,
            .notes = {}};
  if (!stage.spec->devices.empty()) {
    const auto devices = listed_devices(stage.device);
    node.notes.push_back(devices.size() == 1
                             ? "device " + stage.device
                             : "a replica on each of " + joined(devices));
  }
  return node;
}

void add_stages(const PipelineFile& file, const std::string& prefix,
                const std::string& name, Graph& graph) {
  Group group{.id = prefix, .name = name, .nodes = {}};
  const auto stages = file.stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    group.nodes.push_back(node_of(*stages[i], prefix, i));
    if (i == 0) continue;
    graph.edges.push_back(
        {.from = group.nodes[i - 1].id,
         .to = group.nodes[i].id,
         .label = label(*stages[i - 1]->spec, *stages[i]->spec)});
  }
  const std::size_t decode = stages.size() - 2;
  const auto& next = stages[decode]->spec->next_inputs;
  graph.edges.push_back({.from = group.nodes[decode].id,
                         .to = group.nodes[decode - 2].id,
                         .label = next.empty() ? "tokens" : ports(next),
                         .is_each = false,
                         .is_back = true});
  graph.groups.push_back(std::move(group));
}

/// Whether its sequences run more than once: what one step gives is fed back.
bool loops(const PipelineFile& file) {
  const auto& ports = file.decode.spec->outputs;
  return !file.decode.spec->next_inputs.empty() ||
         std::any_of(ports.begin(), ports.end(),
                     [](const Port& port) { return port.name == "tokens"; });
}

/// Of a medium not its forty formats.
std::string inputs_of(const StageSpec& first) {
  std::vector<std::string> texts;
  for (const Port& port : first.inputs) {
    texts.push_back(port.dtype == "media" ? port.name + ": media"
                                          : to_string(port));
  }
  return texts.empty() ? "text" : joined(texts);
}

void add_inputs(const StepConfig& step, Graph& graph) {
  std::vector<std::pair<std::string, InputEdge>> edges(step.in.begin(),
                                                       step.in.end());
  const std::string first = graph.groups.back().nodes.front().id;
  if (edges.empty()) {
    std::string name = inputs_of(*step.file.preprocess.front().spec);
    edges.push_back({"", {.input = name, .each = ""}});
  }
  for (const auto& [name, edge] : edges) {
    if (!edge.each.empty()) {
      const auto from =
          std::find_if(graph.groups.begin(), graph.groups.end(),
                       [&, &each = edge.each](const Group& group) {
                         return group.name == each;
                       });
      graph.edges.push_back({.from = from->nodes.back().id,
                             .to = first,
                             .label = "each: " + name,
                             .is_each = true});
      continue;
    }
    auto node = std::find_if(
        graph.inputs.begin(), graph.inputs.end(),
        [&, &input = edge.input](const Node& n) { return n.use == input; });
    if (node == graph.inputs.end()) {
      graph.inputs.push_back({.id = "in" + std::to_string(graph.inputs.size()),
                              .key = "input",
                              .use = edge.input,
                              .notes = {}});
      node = graph.inputs.end() - 1;
    }
    graph.edges.push_back({.from = node->id, .to = first, .label = name});
  }
}

Graph graph_of(const CompositionFile& file) {
  Graph graph;
  for (std::size_t i = 0; i < file.steps.size(); ++i) {
    const StepConfig& step = file.steps[i];
    const std::string name = step.name.empty() ? file.name : step.name;
    add_stages(step.file, "s" + std::to_string(i) + "_", name, graph);
    if (!loops(step.file)) graph.edges.pop_back();
    add_inputs(step, graph);
  }
  return graph;
}

/// Inside of quotes; both formats read these four as they stand elsewhere.
std::string quoted(const std::string& text, bool is_mermaid) {
  std::string out;
  for (const char c : text) {
    if (c == '"') {
      out += is_mermaid ? "#quot;" : "\\\"";
    } else if (c == '\\' && !is_mermaid) {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return '"' + out + '"';
}

std::string words_of(const Node& node, const char* line_end) {
  std::string text = node.key + line_end + node.use;
  for (const auto& note : node.notes) text += line_end + note;
  return text;
}

}  // namespace

std::string mermaid(const CompositionFile& file) {
  const Graph graph = graph_of(file);
  std::string text = "flowchart TD\n";
  const auto add = [&text](const Node& node, const char* indent) {
    text += indent + node.id + "[" +
            quoted(words_of(node, "<br/>"), /*is_mermaid=*/true) + "]\n";
  };
  for (const Node& node : graph.inputs) add(node, "  ");
  for (const Group& group : graph.groups) {
    text += "  subgraph " + group.id + " [" +
            quoted(group.name, /*is_mermaid=*/true) + "]\n";
    for (const Node& node : group.nodes) add(node, "    ");
    text += "  end\n";
  }
  for (const Edge& edge : graph.edges) {
    const char* arrow = edge.is_back ? " -.->" : edge.is_each ? " ==>" : " -->";
    text += "  " + edge.from + arrow;
    if (!edge.label.empty()) {
      text += "|" + quoted(edge.label, /*is_mermaid=*/true) + "|";
    }
    text += " " + edge.to + "\n";
  }
  return text;
}

std::string dot(const CompositionFile& file) {
  const Graph graph = graph_of(file);
  std::string text = "digraph " + quoted(file.name, /*is_mermaid=*/false) +
                     " {\n  node [shape=box];\n";
  const auto add = [&text](const Node& node, const char* indent) {
    std::string words = quoted(words_of(node, "\n"), /*is_mermaid=*/false);
    for (std::size_t at = 0; (at = words.find('\n')) != std::string::npos;) {
      words.replace(at, 1, "\\n");
    }
    text += indent + node.id + " [label=" + words + "];\n";
  };
  for (const Node& node : graph.inputs) add(node, "  ");
  for (const Group& group : graph.groups) {
    text += "  subgraph cluster_" + group.id +
            " {\n    label=" + quoted(group.name, /*is_mermaid=*/false) + ";\n";
    for (const Node& node : group.nodes) add(node, "    ");
    text += "  }\n";
  }
  for (const Edge& edge : graph.edges) {
    text += "  " + edge.from + " -> " + edge.to +
            " [label=" + quoted(edge.label, /*is_mermaid=*/false) +
            (edge.is_back   ? ", style=dashed, constraint=false"
             : edge.is_each ? ", style=bold"
                            : "") +
            "];\n";
  }
  return text + "}\n";
}

}  // namespace penstock::inspect
