// TorchScript: a program of its own, with loops, prints and files.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdio>

#include "penstock/error.h"
#include "torch/session.h"

namespace penstock::pt2 {
namespace {

using Values = std::vector<c10::IValue>;

/// The tensors of tuples, lists and dicts, in their order.
void flatten(const c10::IValue& value, Values& out) {
  if (value.isTuple()) {
    for (const auto& part : value.toTupleRef().elements()) flatten(part, out);
  } else if (value.isList()) {
    for (const c10::IValue& part : value.toListRef()) flatten(part, out);
  } else {
    out.push_back(value);
  }
}

class ScriptSession final : public Session {
 public:
  explicit ScriptSession(const ModelHead& head)
      : head_(head), module_(::torch::jit::load(head.path.string(), at::kCPU)) {
    module_.eval();
    check_arguments();
  }

  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) override {
    const std::vector<at::Tensor> own = copies(inputs);
    c10::IValue made;
    try {
      made = module_.forward({own.begin(), own.end()});
    } catch (const std::exception& error) {
      refuse(head_, "libtorch cannot run it", error);
    }
    return owned(outputs_of(made), inputs);
  }

 private:
  /// `forward` takes as many tensors as the pipeline file names.
  void check_arguments() const {
    const auto& schema = module_.get_method("forward").function().getSchema();
    std::string names;
    std::size_t least = 0;
    const std::size_t all = schema.arguments().size() - 1;  // without self
    for (std::size_t i = 1; i <= all; ++i) {
      const auto& argument = schema.arguments()[i];
      names += str(i > 1 ? ", " : "", argument.name());
      if (!argument.default_value()) least = i;
    }
    const std::size_t given = head_.inputs.size();
    if (given >= least && given <= all) return;
    throw Error(Code::kData,
                str("ports: ", head_.path.string(), " takes (", names,
                    "), which are ", all, " inputs and not ", given));
  }

  /// By name where the model returns a dict, else in order.
  [[nodiscard]] Values outputs_of(const c10::IValue& made) const {
    Values values;
    if (made.isGenericDict()) {
      const auto dict = made.toGenericDict();
      for (const ModelTensor& output : head_.outputs) {
        const auto at = dict.find(output.name);
        if (at == dict.end()) fail_output(output.name);
        values.push_back(at->value());
      }
      return values;
    }
    flatten(made, values);
    if (values.size() < head_.outputs.size()) {
      fail_output(head_.outputs[values.size()].name);
    }
    values.resize(head_.outputs.size());
    return values;
  }
  [[noreturn]] void fail_output(const std::string& name) const {
    throw Error(Code::kData, str("ports: ", head_.path.string(),
                                 " returns no output '", name, "'"));
  }

  ModelHead head_;
  ::torch::jit::Module module_;
};

}  // namespace

std::unique_ptr<Session> open_script(const ModelHead& head) {
  // stdout is the pipeline's.
  ::torch::jit::setPrintHandler([](const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  });
  try {
    return std::make_unique<ScriptSession>(head);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(head, "libtorch cannot load it", error);
  }
}

}  // namespace penstock::pt2
