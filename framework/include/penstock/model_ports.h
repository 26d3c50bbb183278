// The ports that a model file means: what a Forward that runs models of others
// takes and gives, by what read_model_head() found and by its params.
//
//   dynamic dim 0 of every input   B, the rows of a batch
//   other dynamic dims             their names (time); without one N1, N2, ...
//   unknown ranks                  [...]
#pragma once

#include <string>
#include <vector>

#include "penstock/model_head.h"
#include "penstock/stage_spec.h"

namespace penstock {

/// How a model meets the rows of a batch.
enum class ModelRows {
  kBatch,   ///< all at once: dim 0 of inputs and outputs are the rows
  kOne,     ///< one after another: dim 0 is 1, and no dim of the pipeline's
  kNoRows,  ///< one after another, with every dim that the file has
};

/// Params by which a pipeline file fits a model to itself.
struct ModelOptions {
  std::vector<std::string> names = {};  ///< "x=pixels": the file's, ours
  std::vector<std::string> set = {};    ///< "sr=16000", "scales=0.667 1 0.8"
  std::vector<std::string> state = {};  ///< "stateN=state": output, input
  std::vector<std::string> scan = {};   ///< inputs of a step after another
  /// Inputs that are [...,H,W,C] in the file and [...,C,H,W] in the pipeline.
  std::vector<std::string> channels_last = {};
  std::string rows = "auto";  ///< auto, batch, one, none
};

struct ModelInput {
  enum class From {
    kItem,      ///< what the pipeline gives
    kConstant,  ///< the numbers of `set`
    kState,     ///< an output of the sequence's step before; first zeros
  };
  ModelTensor file;  ///< as the file has it
  Port port;         ///< as the pipeline sees it
  From from = From::kItem;
  bool has_row_dim = false;  ///< dim 0 is the batch's, and B of the port
  /// The pipeline gives the inputs of S steps, [B, S, ...], one after another.
  bool is_scanned = false;
  /// Its last dim is the third last of the port. Where the file has bytes the
  /// pipeline gives f32, which are rounded.
  bool is_channels_last = false;
  std::vector<double> constant;
  std::size_t output = 0;  ///< that is its state
  /// Of the file's dims: a number, or a name that is the same wherever the
  /// dim is the same.
  std::vector<std::string> dims;
};

struct ModelOutput {
  ModelTensor file;
  Port port;
  bool is_given = false;  ///< to the pipeline
  bool has_row_dim = false;
};

struct ModelPorts {
  ModelRows rows = ModelRows::kBatch;
  std::vector<ModelInput> inputs;  ///< in the file's order, as outputs
  std::vector<ModelOutput> outputs;

  /// What a Forward's describe() returns.
  [[nodiscard]] PENSTOCK_API Ports ports() const;
};

/// Throws Error(kData) where the options do not fit the model: what is wrong,
/// what the model has.
[[nodiscard]] PENSTOCK_API ModelPorts
model_ports(const ModelHead& head, const ModelOptions& options = {});

}  // namespace penstock
