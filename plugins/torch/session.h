// A model as one of libtorch's runtimes has loaded it. What libtorch throws
// becomes an Error that names the model.
#pragma once

#include <ATen/core/ivalue.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "penstock/model_ports.h"

namespace penstock::pt2 {

/// One thread at a time, under InferenceMode.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  virtual ~Session();

  /// Takes the model's inputs in their order, gives its outputs in theirs,
  /// contiguous and owned; what is no tensor is undefined.
  [[nodiscard]] virtual std::vector<at::Tensor> run(
      const std::vector<at::Tensor>& inputs) = 0;
};

/// A program of torch.export, by nativert. Throws Error(kData).
[[nodiscard]] std::unique_ptr<Session> open_export(const ModelHead& head);
/// TorchScript: it runs code of the file.
[[nodiscard]] std::unique_ptr<Session> open_script(const ModelHead& head);
/// AOTInductor's native code, of the file. Throws Error(kUnavailable) where it
/// is for another CPU.
[[nodiscard]] std::unique_ptr<Session> open_native(const ModelHead& head);

/// Throws Error(kData): the model, the problem and, of libtorch's text, the
/// line that says what was wrong.
[[noreturn]] void refuse(const ModelHead& head, const std::string& problem,
                         const std::exception& error);
/// The same without libtorch's words of where it noticed.
[[nodiscard]] std::string reason_of(const std::exception& error);

/// For code of a file, which may write into what it is given; that is the
/// item's own, or the client's.
[[nodiscard]] std::vector<at::Tensor> copies(
    const std::vector<at::Tensor>& inputs);
/// As Session::run() gives them: copies where one is an input too.
[[nodiscard]] std::vector<at::Tensor> owned(
    const std::vector<c10::IValue>& outputs,
    const std::vector<at::Tensor>& inputs);

}  // namespace penstock::pt2
