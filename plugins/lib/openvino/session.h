// A model, compiled by OpenVINO for this CPU. No type of OpenVINO leaves this
// file's source; what it throws becomes an Error that names the model.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/exported/waiting.h"
#include "penstock/model_ports.h"

namespace penstock::openvino {

struct SessionOptions {
  std::string precision;  ///< "fp32", or "auto": what the CPU likes
  std::string cache;      ///< folder of compiled models; empty: none
  int threads = 1;
};

/// What a stage's param `cache` means: the folder; of "auto" one beside the
/// models that tools/models fetched, made where it is not there, or none where
/// it cannot be written.
[[nodiscard]] std::string cache_named(const std::string& said);

/// One thread at a time.
class Session {
 public:
  /// Loads and compiles. Throws Error(kData) where OpenVINO cannot run it.
  Session(const ModelHead& head, const ModelPorts& ports,
          const SessionOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session();

  /// What it computes in: "fp32", "bf16", "fp16".
  [[nodiscard]] std::string dtype() const;

  /// Takes the file's inputs in their order, on the CPU; gives its outputs,
  /// copied. An output that is not a tensor of numbers is undefined. Throws
  /// Cancelled when nobody waits any more; what takes less than 20 ms goes on.
  [[nodiscard]] std::vector<at::Tensor> run(
      const std::vector<at::Tensor>& inputs, const exported::Waiting& waiting);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::openvino
