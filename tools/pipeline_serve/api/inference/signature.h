// What a pipeline takes and gives, as tensors of the Open Inference Protocol.
// The first dimension of each counts requests: three texts are [3].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/composition_file.h"
#include "pipeline_serve/api/inference/datatypes.h"

namespace penstock::serve {

enum class InputKind {
  kText,
  kJson,   ///< a text that holds JSON: messages
  kMedia,  ///< a coded picture, sound or film
  kTensor
};

struct InputTensor {
  std::string name;
  InputKind kind = InputKind::kText;
  const Datatype* datatype = &datatype_of("text");
  std::vector<std::int64_t> dims;  ///< of one request; -1: any
  bool is_optional = false;
};

enum class OutputKind {
  kText,
  kJson,    ///< what stages write as JSON, one object a request
  kNumbers  ///< a list of numbers in it, as a tensor
};

struct OutputTensor {
  std::string name;
  OutputKind kind = OutputKind::kText;
  const Datatype* datatype = &datatype_of("text");
  std::vector<std::int64_t> dims;  ///< of one request; -1: any
  std::string step;                ///< of a file with steps: whose; else ""
  std::string key;                 ///< kNumbers: of the JSON
};

struct Signature {
  /// Those that a request must have come first.
  std::vector<InputTensor> inputs;
  std::vector<OutputTensor> outputs;

  [[nodiscard]] const InputTensor* input(std::string_view name) const;
  [[nodiscard]] const OutputTensor* output(std::string_view name) const;
};

/// Of the inputs that no stage or step before gives, and of what is written:
/// `text` and `json` of the last step, "STEP.text" and "STEP.json" of others,
/// and the numbers that a Postprocess declares as its outputs.
[[nodiscard]] Signature signature_of(const CompositionFile& file);

}  // namespace penstock::serve
