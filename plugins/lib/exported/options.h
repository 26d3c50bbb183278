// The params that every stage has which runs models of others.
#pragma once

#include <string>
#include <vector>

#include "penstock/model_ports.h"
#include "penstock/stage_spec.h"

namespace penstock::exported {

/// Members of a stage's Params; the comments are those of the params.
struct OptionParams {
  std::vector<std::string> names;
  std::vector<std::string> set;
  std::vector<std::string> state;
  std::vector<std::string> scan;
  std::vector<std::string> channels_last;
  std::string rows = "auto";
};

/// The ports that a file means with them; throws as model_ports().
[[nodiscard]] ModelPorts ports_of(const ModelHead& head,
                                  const OptionParams& params);

/// Adds them to a stage whose Params are OptionParams.
template <class T>
void declare_options(Declaration<T>& d) {
  using P = typename T::Params;
  using Texts = std::vector<std::string> P::*;
  d.param("names", static_cast<Texts>(&P::names),
          "other names for inputs and outputs, written FILE=PIPELINE: "
          "x=pixels");
  d.param("set", static_cast<Texts>(&P::set),
          "inputs that are always the same, written sr=16000 or "
          "\"scales=0.667 1 0.8\"; one number fills every place");
  d.param("state", static_cast<Texts>(&P::state),
          "outputs that are inputs of the sequence's next step, written "
          "OUTPUT=INPUT; first zeros");
  d.param("scan", static_cast<Texts>(&P::scan),
          "inputs that come as [B,S,...], S steps one after another, each with "
          "the state of the one before; outputs become [B,S,...]");
  d.param("channels_last", static_cast<Texts>(&P::channels_last),
          "inputs that are [height,width,channels] in the file, as TFLite's "
          "are; the pipeline gives [channels,height,width], for bytes f32 that "
          "are rounded");
  d.param("rows", static_cast<std::string P::*>(&P::rows),
          "batch: the rows are dim 0 of the model; one: a row after another, "
          "dim 0 is 1; none: a row after another with every dim of the file; "
          "auto: batch where dim 0 of every input is dynamic")
      .choices({"auto", "batch", "one", "none"});
}

}  // namespace penstock::exported
