// A call of the Open Inference Protocol as requests of a pipeline: the inputs
// of each, their common options, and the outputs that are asked for.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/json.h"
#include "penstock/params.h"
#include "penstock/value.h"
#include "pipeline_serve/api/inference/binary_tensors.h"
#include "pipeline_serve/api/inference/signature.h"

namespace penstock::serve {

/// Options of a pipeline by the names that a client may write: its own, and
/// OpenAI's.
class InferenceOptions {
 public:
  /// Throws Error(kData) for a value of no kind that options have, and for one
  /// option under two names. Null says nothing.
  void add(const std::string& name, const JsonView& value);
  [[nodiscard]] const std::map<std::string, Raw>& all() const { return all_; }
  /// Throws Error(kData), which has the client's name, for what the pipeline
  /// does not know or take.
  void check(const CompositionFile& file) const;

 private:
  std::map<std::string, Raw> all_;
  std::map<std::string, std::string> theirs_;  ///< by ours
};

struct WantedOutput {
  const OutputTensor* tensor = nullptr;
  bool is_binary = false;
};

struct InferenceRequest {
  std::string id;
  std::vector<std::map<std::string, Value>> rows;  ///< inputs by name
  bool is_column = false;  ///< texts come as [n, 1], and so do they go
  InferenceOptions options;
  std::optional<std::chrono::microseconds> timeout;
  std::vector<WantedOutput> outputs;
};

/// Reads the body of an `infer` call; nothing in it is passed over in silence.
/// A JSON of no bytes: the rest is the only element of the only input. Throws
/// Error(kData) that names what is wrong. `signature` outlives the result.
[[nodiscard]] InferenceRequest parse_inference(const SplitBody& body,
                                               const Signature& signature);

/// What complaints call a body.
inline constexpr const char* kInferenceBody = "the request";

/// The body's JSON, an object. Throws Error(kData).
[[nodiscard]] JsonValue parse_inference_json(std::string_view text);

/// Throws Error(kData) where an input that must be there is not.
void check_inputs(const std::map<std::string, Value>& inputs,
                  const Signature& signature);

/// "...: 'x' is not known here", for a member of `view` that is none of
/// `known`.
void check_keys(const JsonView& view, const std::vector<std::string>& known);

}  // namespace penstock::serve
