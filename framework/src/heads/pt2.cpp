#include "heads/pt2.h"

#include <algorithm>
#include <set>

#include "base/quote.h"
#include "heads/formats.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

constexpr std::int64_t kSchema = 8;
constexpr std::string_view kOps = "torch.ops.";
constexpr int kDeepest = 8;  ///< graphs inside each other

/// "s43" of "s43" and of "Symbol('s43', positive=True, integer=True)"; "" of
/// what is computed from symbols.
std::string symbol_of(const std::string& text) {
  const std::string lead = "Symbol('";
  std::string name = text;
  if (text.starts_with(lead) && text.find(')') + 1 == text.size()) {
    name = text.substr(lead.size());
    name = name.substr(0, name.find('\''));
  }
  const bool is_word = !name.empty() && (name[0] < '0' || name[0] > '9') &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') ||
                                (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_';
                       });
  return is_word ? name : "";
}

std::string dim_of(const JsonView& size) {
  if (const auto number = size.find("as_int")) {
    return std::to_string(number->integer(0, kMostElements));
  }
  return symbol_of(size.at("as_expr").at("expr_str").text());
}

/// Names for what a model returns: keys of its dicts, joined where they are
/// nested; "" where no key is on the way.
class OutputNames {
 public:
  explicit OutputNames(const JsonView& spec) { walk(spec, ""); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  void walk(const JsonView& node, const std::string& name) {
    const auto children = node.at("children_spec").items();
    const auto type = node.find("type");
    if (!type) {
      names_.push_back(name);
      return;
    }
    const auto keys = keys_of(node, children.size());
    for (std::size_t i = 0; i < children.size(); ++i) {
      std::string next = keys.empty() ? std::to_string(i) : keys[i];
      if (keys.empty() && name.empty()) {
        next = "";
      } else if (!name.empty()) {
        next = str(name, "_", next);
      }
      walk(children[i], next);
    }
  }
  /// A dict's, and those of classes that are like one; else none.
  static std::vector<std::string> keys_of(const JsonView& node,
                                          std::size_t count) {
    const auto context = node.find("context");
    if (!context || !context->is_text()) return {};
    if (!context->text().starts_with('[')) return {};
    const JsonValue json = parse_json(context->text(), "context");
    const auto items = JsonView(json, "context").items();
    std::vector<std::string> keys;
    for (const JsonView& item : items) {
      if (item.is_text()) keys.push_back(item.text());
    }
    return keys.size() == count ? keys : std::vector<std::string>();
  }

  std::vector<std::string> names_;
};

class Program {
 public:
  Program(const Source& source, const JsonView& root, ModelHead& head)
      : source_(source),
        root_(root),
        module_(root.at("graph_module")),
        graph_(module_.at("graph")),
        head_(head) {}

  void read(const Zip& zip) {
    read_versions();
    read_inputs();
    read_outputs();
    read_ranges();
    walk(graph_, 0);
    check_program_weights(source_, zip, specs("input_specs"), values());
  }

 private:
  [[nodiscard]] JsonView specs(const char* which) const {
    return module_.at("signature").at(which);
  }
  [[nodiscard]] JsonView values() const { return graph_.at("tensor_values"); }
  void read_versions();
  void read_inputs();
  void read_outputs();
  void read_ranges();
  [[nodiscard]] ModelTensor tensor_of(const JsonView& arg) const;
  [[nodiscard]] std::vector<std::string> output_names(std::size_t count) const;
  void walk(const JsonView& graph, int depth);
  void look_at(const JsonView& node, int depth);
  void check_writes(const JsonView& node, const std::string& target) const;

  const Source& source_;
  JsonView root_, module_, graph_;
  ModelHead& head_;
  std::set<std::string> weights_;  ///< names that the graph has for them
};

void Program::read_versions() {
  const JsonView schema = root_.at("schema_version");
  const std::int64_t major = schema.at("major").integer();
  head_.version = str("schema ", major, ".", schema.at("minor").integer());
  if (const auto made_by = root_.find("torch_version")) {
    head_.made_by = "pytorch " + made_by->text();
  }
  if (major == kSchema) return;
  throw Error(Code::kData,
              str(source_.name, ": it is written in ", head_.version, " (",
                  head_.made_by, "), this program reads schema ", kSchema,
                  ": export it with PyTorch 2.8 to 2.11"));
}

/// A number or a word where a tensor could be has its kind as its dtype.
ModelTensor Program::tensor_of(const JsonView& arg) const {
  ModelTensor out;
  const auto tensor = arg.find("as_tensor");
  if (!tensor) {
    const auto members = arg.members();
    const std::string kind = members.empty() ? "none" : members.front().first;
    out.dtype = kind.starts_with("as_") ? kind.substr(3) : kind;
    return out;
  }
  out.name = tensor->at("name").text();
  const JsonView value = values().at(out.name);
  out.dtype = torch_dtype(value.at("dtype").integer());
  std::vector<std::int64_t> known;
  for (const JsonView& size : value.at("sizes").items()) {
    out.dims.push_back(dim_of(size));
    if (size.find("as_int")) known.push_back(size.at("as_int").integer());
  }
  if (elements_of(known) < 0) value.fail("has more than 2^31 numbers");
  return out;
}

void Program::read_inputs() {
  for (const JsonView& spec : specs("input_specs").items()) {
    const auto user = spec.find("user_input");
    if (!user) {
      for (const auto& [kind, weight] : spec.members()) {
        const auto arg = weight.find("arg");
        if (arg) weights_.insert(arg->at("name").text());
      }
      continue;
    }
    ModelTensor input = tensor_of(user->at("arg"));
    if (input.name.empty()) {
      input.name = str("argument_", head_.inputs.size());
      input.has_rank = false;
    }
    head_.inputs.push_back(std::move(input));
  }
}

std::vector<std::string> Program::output_names(std::size_t count) const {
  const auto calls = module_.at("module_call_graph").items();
  if (calls.empty()) return std::vector<std::string>(count);
  const auto signature = calls.front().find("signature");
  if (!signature) return std::vector<std::string>(count);
  const std::string text = signature->at("out_spec").text();
  const JsonValue json = parse_json(text, source_.name + ": out_spec");
  const auto parts = JsonView(json, source_.name + ": out_spec").items();
  if (parts.size() != 2) return std::vector<std::string>(count);
  auto names = OutputNames(parts[1]).names();
  names.resize(count);
  return names;
}

void Program::read_outputs() {
  std::vector<ModelTensor> found;
  for (const JsonView& spec : specs("output_specs").items()) {
    const auto user = spec.find("user_output");
    if (!user) {
      const auto members = spec.members();
      throw Error(
          Code::kData,
          str(source_.name, ": it has an output ",
              shown(members.empty() ? "" : members.front().first),
              ", of a model that changes itself; export model.eval(), and "
              "let forward() return what it makes"));
    }
    found.push_back(tensor_of(user->at("arg")));
  }
  const auto names = output_names(found.size());
  std::set<std::string> taken;
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::string name = names[i].empty() ? found[i].name : names[i];
    if (name.empty()) name = str("output_", i);
    // A model may return a tensor twice.
    std::string unique = name;
    for (int k = 1; !taken.insert(unique).second; ++k) {
      unique = str(name, "_", k);
    }
    found[i].name = unique;
  }
  head_.outputs = std::move(found);
}

void Program::read_ranges() {
  for (const auto& [name, range] : root_.at("range_constraints").members()) {
    ModelRange& made = head_.ranges[name];
    if (const auto least = range.find("min_val")) made.least = least->integer();
    if (const auto most = range.find("max_val")) made.most = most->integer();
  }
}

/// A buffer that a step writes is another one in the next: answers would
/// depend on what ran before.
void Program::check_writes(const JsonView& node,
                           const std::string& target) const {
  const std::string op = target.substr(0, target.rfind('.'));
  if (!op.ends_with('_') || op.ends_with("__")) return;
  const auto inputs = node.at("inputs").items();
  if (inputs.empty()) return;
  const auto self = inputs.front().at("arg").find("as_tensor");
  if (!self || !weights_.contains(self->at("name").text())) return;
  throw Error(Code::kData,
              str(source_.name, ": ", op, " writes into its own ",
                  shown(self->at("name").text()),
                  ", as models do in training; call model.eval() before the "
                  "export, and let state be an input and an output"));
}

void Program::look_at(const JsonView& node, int depth) {
  std::string target = node.at("target").text();
  if (target.starts_with(kOps)) target.erase(0, kOps.size());
  std::string name;
  const auto outputs = node.at("outputs").items();
  if (!outputs.empty()) {
    const auto tensor = outputs.front().find("as_tensor");
    if (tensor) name = tensor->at("name").text();
  }
  head_.operators.emplace(target, name);
  check_writes(node, target);
  for (const JsonView& input : node.at("inputs").items()) {
    const auto graph = input.at("arg").find("as_graph");
    if (graph) walk(graph->at("graph"), depth + 1);
  }
}

void Program::walk(const JsonView& graph, int depth) {
  if (depth > kDeepest) graph.fail("has graphs nested too deep");
  for (const JsonView& node : graph.at("nodes").items()) look_at(node, depth);
}

}  // namespace

JsonLimits program_limits() {
  return {.bytes = std::size_t{256} << 20U, .depth = 64, .values = 40'000'000};
}

void read_program(const Source& source, const Zip& zip, ModelHead& head) {
  const std::string file = str(source.name, ": ", kProgram);
  const JsonValue json = parse_json(zip.need(kProgram), file, program_limits());
  Program(source, JsonView(json, file), head).read(zip);
}

}  // namespace penstock::heads
