// How a class of Python becomes a stage: its declaration, as penstock/_stage.py
// hands it over, and its params.
#pragma once

#include <nanobind/nanobind.h>

#include <map>
#include <string>
#include <vector>

#include "penstock/stage_spec.h"

namespace penstock::python {

/// What was declared of a stage; lives as long as the process.
struct OwnStage {
  /// Makes the object behind a stage, of a dictionary of params; a reference
  /// that is never given back.
  PyObject* make = nullptr;
  std::string doc;
  std::vector<std::string> inputs, outputs;
  std::vector<NoteSpec> makes, needs, uses, facts;
  std::vector<ParamSpec> params;
};

/// The params of any such stage.
struct OwnParams {
  const OwnStage* stage = nullptr;
  std::map<std::string, ParamValue> values;
};

/// Reads and keeps a declaration:
/// {"name", "kind", "doc", "inputs", "outputs", "makes", "needs", "uses",
/// "facts", "params", "make"}. Throws Error as Registry::add().
void declare_stage(const nanobind::dict& declared);

/// Of own_stages.h.
void keep_own_stage(StageSpec spec);

}  // namespace penstock::python

namespace penstock {

/// Declaration<T>'s list of params for stages of Python: these are known at run
/// time, not by the members of a struct.
template <>
class ParamList<python::OwnParams> {
 public:
  class Added {};
  [[nodiscard]] ParamSchema take();
};

}  // namespace penstock
