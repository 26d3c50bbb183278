#include "tests/framework/config/fake_catalog.h"

#include <unistd.h>

#include <stdexcept>

namespace penstock::testing {
namespace {

struct PickParams {
  double temperature = 0;
  std::int64_t top_k = 0;
  std::int64_t max_new = 64;
  std::vector<std::int64_t> stop_ids = {};
  bool loud = false;
};
struct RowsParams {
  std::int64_t max_sequences = 8;
  std::string side = "left";
};
struct NetParams {
  std::string dtype = "auto";
  std::int64_t low = 0, high = 10;
};
struct RuleParams {
  std::string words = {};
};
struct NoParams {};

StageSpec spec(const std::string& name, StageKind kind,
               const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs,
               std::vector<Layout> layouts, ParamSchema params) {
  StageSpec made;
  made.name = name;
  made.kind = kind;
  for (const auto& port : inputs) made.inputs.push_back(parse_port(port));
  for (const auto& port : outputs) made.outputs.push_back(parse_port(port));
  made.layouts = std::move(layouts);
  made.params = std::move(params);
  if (kind == StageKind::kForward) made.devices = {"cpu", "cuda"};
  return made;
}

ParamSchema pick_params() {
  ParamList<PickParams> list;
  list.add("temperature", &PickParams::temperature, "")
      .range(0, 100)
      .per_request();
  list.add("top_k", &PickParams::top_k, "").range(0, 1000).per_request();
  list.add("max_new", &PickParams::max_new, "").range(1, 4096).per_request();
  list.add("stop_ids", &PickParams::stop_ids, "").range(0, 99).per_request();
  list.add("loud", &PickParams::loud, "");
  return list.take();
}

ParamSchema rule_params() {
  ParamList<RuleParams> list;
  list.add("words", &RuleParams::words, "").per_request();
  return list.take();
}

ParamSchema rows_params() {
  ParamList<RowsParams> list;
  list.add("max_sequences", &RowsParams::max_sequences, "")
      .formerly("max_rows")
      .range(1, 64);
  list.add("side", &RowsParams::side, "").choices({"left", "right"});
  return list.take();
}

ParamSchema net_params() {
  ParamList<NetParams> list;
  list.add("dtype", &NetParams::dtype, "");
  list.add("low", &NetParams::low, "");
  list.add("high", &NetParams::high, "");
  list.check([](const NetParams& p) -> std::string {
    return p.low <= p.high ? "" : "low is above high";
  });
  return list.take();
}

struct ModelParams {
  std::vector<std::string> names = {};
  std::vector<std::string> set = {};
};

/// A model "x: f32[B,4] -> y: f32[B,3]" has just these ports.
Ports ports_of(const ModelParams& params, const std::string& model) {
  if (model == "absent") throw Error(Code::kNotFound, "there is no model");
  const auto arrow = model.find(" -> ");
  if (arrow == std::string::npos) {
    throw Error(Code::kData, "some/model.onnx: it is cut off");
  }
  if (!params.names.empty() && params.names.front() == "z=x") {
    throw Error(Code::kData, "names: the model has no 'z'");
  }
  Ports ports;
  ports.inputs = {parse_port(model.substr(0, arrow))};
  ports.outputs = {parse_port(model.substr(arrow + 4))};
  if (!params.set.empty()) ports.inputs.clear();
  return ports;
}

/// A Forward whose ports are its model's, and stages around it.
void add_with_model(std::vector<StageSpec>& specs) {
  using enum StageKind;
  const auto none = ParamList<NoParams>().take();
  specs.push_back(spec("text.four", kPreprocess, {}, {"x: f32[4]"}, {}, none));
  ParamList<ModelParams> list;
  list.add("names", &ModelParams::names, "");
  list.add("set", &ModelParams::set, "");
  specs.push_back(
      spec("net.any", kForward, {}, {}, {Layout::kPacked}, list.take()));
  specs.back().describe = [](const void* params, const std::string& model) {
    return ports_of(*static_cast<const ModelParams*>(params), model);
  };
  for (const char* name : {"pick.y", "pick.again"}) {
    specs.push_back(
        spec(name, kDecode, {"y: f32[B,K]"}, {"tokens: i64[N]"}, {}, none));
  }
  specs.back().next_inputs = {parse_port("x: f32[4]")};
}

const NoteSpec kText{"text", ParamType::kText};
const NoteSpec kLoudness{"loudness", ParamType::kReal};
const NoteSpec kEnds{"ends", ParamType::kIntegers};

/// Stages that hand on notes, facts and inputs of the next step.
void add_with_notes(std::vector<StageSpec>& specs) {
  using enum StageKind;
  const auto none = ParamList<NoParams>().take();
  const auto add = [&](const std::string& name, StageKind kind,
                       const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs) -> StageSpec& {
    return specs.emplace_back(spec(name, kind, inputs, outputs, {}, none));
  };
  StageSpec& tidy = add("text.tidy", kPreprocess, {}, {});
  tidy.notes.uses = {kText};
  tidy.notes.makes = {kText};
  add("text.split", kPreprocess, {}, {"tokens: i64[T]"}).notes.uses = {kText};
  add("text.loud", kPreprocess, {}, {}).notes.makes = {kLoudness};
  add("text.deaf", kPreprocess, {}, {}).notes.makes = {
      {"loudness", ParamType::kText}};
  add("text.measure", kPreprocess, {}, {}).notes.needs = {kLoudness};
  add("text.report", kPostprocess, {"tokens: i64[N]"}, {}).notes.needs = {
      kLoudness};
  add("text.show", kPostprocess, {"tokens: i64[N]", "sound: f32[T]"}, {});
  add("text.sound", kPreprocess, {}, {"sound: f32[T]"});
  add("pick.nothing", kDecode, {"scores: f32[R,V]"}, {});
  StageSpec& net =
      add("net.facts", kForward, {"tokens: i64[T]"}, {"scores: f32[R,V]"});
  net.layouts = {Layout::kPacked};
  net.facts.makes = {kEnds};
  net.next_inputs = {parse_port("seek: i64[1]")};
  StageSpec& pick =
      add("pick.end", kDecode, {"scores: f32[R,V]"}, {"tokens: i64[N]"});
  pick.facts.needs = {kEnds};
  add("pick.seek", kDecode, {"scores: f32[R,V]"}, {"tokens: i64[N]"})
      .next_inputs = {parse_port("seek: i64[1]")};
  add("pick.sight", kDecode, {"scores: f32[R,V]"}, {"tokens: i64[N]"})
      .next_inputs = {parse_port("seek: f32[1]")};
}

}  // namespace

FakeCatalog::FakeCatalog() {
  using enum StageKind;
  const auto none = [] { return ParamList<NoParams>().take(); };
  specs_.push_back(
      spec("text.words", kPreprocess, {}, {"tokens: i64[T]"}, {}, none()));
  specs_.push_back(
      spec("text.bytes", kPreprocess, {}, {"tokens: u8[T]"}, {}, none()));
  specs_.push_back(
      spec("rows.packed", kBatch, {}, {}, {Layout::kPacked}, rows_params()));
  specs_.push_back(
      spec("rows.padded", kBatch, {}, {}, {Layout::kPadded}, rows_params()));
  specs_.push_back(spec("net.run", kForward, {"tokens: i64[T]"},
                        {"scores: f32[R,V]"}, {Layout::kPacked}, net_params()));
  specs_.push_back(spec("net.image", kForward, {"pixels: f32[B,3,H,W]{rgb}"},
                        {"classes: f32[B,C]"}, {Layout::kPacked},
                        net_params()));
  specs_.push_back(spec("net.cpu", kForward, {"tokens: i64[T]"},
                        {"scores: f32[R,V]"}, {Layout::kPacked}, net_params()));
  specs_.back().devices = {"cpu"};
  specs_.push_back(spec("pick.best", kDecode, {"scores: f32[R,V]"},
                        {"tokens: i64[N]"}, {}, pick_params()));
  specs_.back().takes_rules = true;
  specs_.push_back(spec("rule.words", kRule, {}, {}, {}, rule_params()));
  specs_.push_back(
      spec("text.join", kPostprocess, {"tokens: i64[N]"}, {}, {}, none()));
  add_with_notes(specs_);
  add_with_model(specs_);
}

const StageSpec& FakeCatalog::find(const std::string& use) {
  for (const StageSpec& each : specs_) {
    if (each.name == use) return each;
  }
  throw Error(Code::kData, "there is no stage '" + use + "'");
}

std::vector<const StageSpec*> FakeCatalog::known() const {
  std::vector<const StageSpec*> all;
  for (const StageSpec& each : specs_) all.push_back(&each);
  return all;
}

std::string good_file() {
  return R"(version: 1
name: good
model: some/model.gguf
device: cpu
preprocess:  {use: text.words}
batch:       {use: rows.packed, max_sequences: 4}
forward:     {use: net.run}
decode:      {use: pick.best, temperature: 0.5}
postprocess: {use: text.join}
inputs:
  - {text: "Hi"}
)";
}

std::string replaced(std::string text, const std::string& from,
                     const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("not in file: " + from);
  return text.replace(at, from.size(), to);
}

TempFile::TempFile(const std::string& text, const std::string& name)
    : path_(std::filesystem::temp_directory_path() /
            ("penstock_" + std::to_string(getpid()) + "_" + name)) {
  std::ofstream(path_, std::ios::binary) << text;
}
TempFile::~TempFile() { std::filesystem::remove(path_); }

}  // namespace penstock::testing
