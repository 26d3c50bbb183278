// What a plugin says of each of its stages: kind, ports, notes, facts,
// layouts, params and how to make one. Everything a pipeline file can be
// checked against without loading weights or touching a device. Needs no
// tensors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/notes.h"
#include "penstock/params.h"
#include "penstock/port.h"

namespace penstock {

class Stage;
struct Gpus;

/// The five stages, in the order in which data passes them, and the rules that
/// stand with decode.
enum class StageKind {
  kPreprocess,
  kBatch,
  kForward,
  kRule,
  kDecode,
  kPostprocess
};
/// The key of a pipeline file: "preprocess", "batch", ...; "rule".
[[nodiscard]] PENSTOCK_API std::string to_string(StageKind kind);

/// The rectangle a Batch makes and a Forward takes:
/// stacked [B, ...]: one unit a sequence; padded [B, Tmax] with a mask;
/// packed [sum of T]: the sequences' tokens end to end.
enum class Layout { kStacked, kPadded, kPacked };
[[nodiscard]] PENSTOCK_API std::string to_string(Layout layout);

/// The notes, or the facts, of one stage.
struct NoteSpecs {
  std::vector<NoteSpec> makes;  ///< may set; others are refused at run time
  std::vector<NoteSpec> needs;  ///< fails without
  std::vector<NoteSpec> uses;   ///< reads where they are there
};

/// What a stage takes and gives, where its model file or params say it.
struct Ports {
  std::vector<Port> inputs, outputs;
};

struct StageSpec {
  std::string name;    ///< "plugin.stage", as `use:` writes it
  std::string former;  ///< its earlier name, still read; "": none
  StageKind kind = StageKind::kPreprocess;
  std::string doc;
  /// Outputs of a Postprocess: keys of its JSON that are lists of numbers.
  std::vector<Port> inputs, outputs;
  NoteSpecs notes, facts;
  /// Next::inputs that Decode may set, or that Forward takes.
  std::vector<Port> next_inputs;
  std::vector<Layout> layouts;  ///< Batch: the one it makes; Forward: accepts
  /// Where it can compute, "cpu", "cuda"; empty: it takes no device. A Forward
  /// that says nothing computes on the CPU.
  std::vector<std::string> devices;
  bool takes_rules = false;  ///< Decode: a pipeline may have rules before it
  bool is_light = false;     ///< without memory of its own worth a plan
  ParamSchema params;
  std::function<std::unique_ptr<Stage>(const void* params)> make;
  /// Of a stage whose ports are its model's or params'; see plugin.h. Empty:
  /// the ports above hold for every model.
  std::function<Ports(const void* params, const std::string& model)> describe;
  bool describes_params = false;  ///< describe() looks at no model
  /// Of a stage with engines of its own for GPUs; see plugin.h. Empty: where
  /// `devices` has "cuda" it computes in ATen operations.
  std::function<std::string(const void* params, const std::string& model,
                            const Gpus& gpus, int index)>
      why_no_gpu;
};

/// Filled by T::declare(Declaration<T>&); see plugin.h.
template <class T>
class Declaration {
 public:
  using P = typename T::Params;

  Declaration& doc(std::string text) {
    spec_.doc = std::move(text);
    return *this;
  }
  Declaration& input(const std::string& port) {
    spec_.inputs.push_back(parse_port(port));
    return *this;
  }
  Declaration& output(const std::string& port) {
    spec_.outputs.push_back(parse_port(port));
    return *this;
  }
  /// Notes that the stage may set on what it gives; of Forward: facts that
  /// open() may set.
  template <NoteKey... K>
  Declaration& makes(const K&... keys) {
    (of(keys).makes.push_back(spec_of(keys)), ...);
    return *this;
  }
  /// Notes and facts without which the stage fails: a pipeline in which no
  /// stage before it makes them is refused.
  template <NoteKey... K>
  Declaration& needs(const K&... keys) {
    (of(keys).needs.push_back(spec_of(keys)), ...);
    return *this;
  }
  /// Notes and facts that the stage reads where they are there.
  template <NoteKey... K>
  Declaration& uses(const K&... keys) {
    (of(keys).uses.push_back(spec_of(keys)), ...);
    return *this;
  }
  /// Of Decode: an input that it may set for a sequence's next step. Of
  /// Forward: one that it takes where it is set.
  Declaration& next_input(const std::string& port) {
    spec_.next_inputs.push_back(parse_port(port));
    return *this;
  }
  /// Of Decode: it asks the rules of Item::rules before each step.
  Declaration& takes_rules() {
    spec_.takes_rules = true;
    return *this;
  }
  /// The stage keeps less than a MiB beside what it is given: a memory plan
  /// counts nothing for it, and it needs no memory().
  Declaration& light() {
    spec_.is_light = true;
    return *this;
  }
  Declaration& layouts(std::vector<Layout> layouts) {
    spec_.layouts = std::move(layouts);
    return *this;
  }
  Declaration& devices(std::vector<std::string> devices) {
    spec_.devices = std::move(devices);
    return *this;
  }
  template <class M>
  typename ParamList<P>::Added param(std::string name, M P::*member,
                                     std::string doc) {
    return params_.add(std::move(name), member, std::move(doc));
  }
  void check(std::string (*conflict)(const P&)) { params_.check(conflict); }

  [[nodiscard]] StageSpec take() {
    spec_.params = params_.take();
    return std::move(spec_);
  }

 private:
  template <class V>
  NoteSpecs& of(const Note<V>& /*key*/) {
    return spec_.notes;
  }
  template <class V>
  NoteSpecs& of(const Fact<V>& /*key*/) {
    return spec_.facts;
  }

  StageSpec spec_;
  ParamList<P> params_;
};

}  // namespace penstock
