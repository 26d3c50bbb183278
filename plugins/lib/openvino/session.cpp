#include "lib/openvino/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <list>
#include <openvino/openvino.hpp>
#include <openvino/runtime/exception.hpp>
#include <optional>
#include <set>

#include "penstock/error.h"
#include "penstock/kept_memory.h"
#include "penstock/models.h"

namespace penstock::openvino {
namespace {

struct Dtype {
  at::ScalarType ours;
  ov::element::Type_t theirs;
};
constexpr std::array<Dtype, 10> kDtypes{
    {{at::kFloat, ov::element::Type_t::f32},
     {at::kLong, ov::element::Type_t::i64},
     {at::kInt, ov::element::Type_t::i32},
     {at::kByte, ov::element::Type_t::u8},
     {at::kBool, ov::element::Type_t::boolean},
     {at::kHalf, ov::element::Type_t::f16},
     {at::kBFloat16, ov::element::Type_t::bf16},
     {at::kDouble, ov::element::Type_t::f64},
     {at::kShort, ov::element::Type_t::i16},
     {at::kChar, ov::element::Type_t::i8}}};

const Dtype* find_dtype(const at::ScalarType type) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(),
                   [&](const Dtype& each) { return each.ours == type; });
  return found == kDtypes.end() ? nullptr : found;
}

const Dtype* find_dtype(const ov::element::Type& type) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& each) {
        return ov::element::Type(each.theirs) == type;
      });
  return found == kDtypes.end() ? nullptr : found;
}

/// OpenVINO's texts are lines of where it noticed; the last says what.
std::string reason_of(const std::exception& error) {
  const std::string text = error.what();
  std::string last;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.find_first_not_of(" \t\r") != line.npos) last = line;
    begin = end + 1;
  }
  return last.empty() ? text : last;
}

[[noreturn]] void fail(const ModelHead& head, const std::string& problem) {
  throw Error(Code::kData, head.path.string() + ": " + problem);
}

/// "MyOp of my.company (node 'foo')" of "my.company.MyOp".
std::string operator_text(const ModelHead& head, std::string name) {
  const auto dash = name.rfind('-');  // Relu-17: with the opset
  if (dash != name.npos && !head.operators.contains(name)) name.resize(dash);
  const auto dot = name.rfind('.');
  std::string text = dot == name.npos
                         ? name
                         : name.substr(dot + 1) + " of " + name.substr(0, dot);
  const auto node = head.operators.find(name);
  if (node != head.operators.end() && !node->second.empty()) {
    text += str(" (node '", node->second, "')");
  }
  return text;
}

/// Names of operators that OpenVINO said it has not: behind `lead`, up to the
/// end of the line.
std::optional<std::string> unknown_operators(const ModelHead& head,
                                             const std::string& text,
                                             const std::string& lead) {
  const auto at = text.find(lead);
  if (at == text.npos) return std::nullopt;
  std::string rest = text.substr(at + lead.size());
  rest = rest.substr(0, rest.find('\n'));
  std::string out;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(", "), rest.size());
    if (end > 0) {
      out +=
          (out.empty() ? "" : ", ") + operator_text(head, rest.substr(0, end));
    }
    rest.erase(0, std::min(end + 1, rest.size()));
  }
  return out;
}

[[noreturn]] void refuse_model(const ModelHead& head,
                               const std::exception& error) {
  const std::string text = error.what();
  if (const auto names = unknown_operators(
          head, text, "No conversion rule found for operations: ")) {
    fail(head, "OpenVINO has no operation " + *names);
  }
  fail(head, "OpenVINO cannot load it: " + reason_of(error));
}

/// Which of a compiled model's ports has the name; where names are the
/// format's own invention, the one at the same place.
template <class Ports>
std::optional<std::size_t> place_of(const Ports& ports, const std::string& name,
                                    std::size_t place, std::size_t count) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].get_names().contains(name)) return i;
  }
  if (ports.size() == count) return place;
  return std::nullopt;
}

template <class Ports, class Tensors>
std::vector<std::optional<std::size_t>> places(const Ports& ports,
                                               const Tensors& tensors) {
  std::vector<std::optional<std::size_t>> out;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    out.push_back(place_of(ports, tensors[i].file.name, i, tensors.size()));
  }
  return out;
}

/// A view: OpenVINO reads where the tensor lies.
ov::Tensor borrowed(const at::Tensor& tensor) {
  const Dtype* dtype = find_dtype(tensor.scalar_type());
  if (dtype == nullptr) {
    throw Error(Code::kInternal, "an input has a dtype that OpenVINO has not");
  }
  const auto sizes = tensor.sizes();
  const ov::Shape shape(sizes.begin(), sizes.end());
  if (tensor.numel() == 0) return {dtype->theirs, shape};
  return {dtype->theirs, shape, tensor.const_data_ptr()};
}

at::Tensor copied(const ov::Tensor& tensor, const KeptMemory& memory) {
  const Dtype* dtype = find_dtype(tensor.get_element_type());
  if (dtype == nullptr) return {};
  const ov::Shape& shape = tensor.get_shape();
  at::Tensor out = memory.empty(
      std::vector<std::int64_t>(shape.begin(), shape.end()), dtype->ours);
  if (tensor.get_size() > 0) {
    std::memcpy(out.mutable_data_ptr(), tensor.data(), tensor.get_byte_size());
  }
  return out;
}

ov::AnyMap properties(const SessionOptions& options) {
  ov::AnyMap out{
      ov::inference_num_threads(options.threads), ov::num_streams(1),
      // Threads of others run on the same cores.
      ov::hint::enable_cpu_pinning(false),
      ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY)};
  if (options.precision == "fp32") {
    // Without the second, activations of int8 models are quantised anew.
    out.insert(ov::hint::inference_precision(ov::element::f32));
    out.insert(ov::hint::execution_mode(ov::hint::ExecutionMode::ACCURACY));
  }
  if (!options.cache.empty()) out.insert(ov::cache_dir(options.cache));
  return out;
}

/// Cancels a run once every one of `stops` is requested.
class Cancel {
 public:
  Cancel(const std::vector<std::stop_token>& stops, ov::InferRequest& request)
      : left_(stops.size()) {
    for (const auto& stop : stops) {
      callbacks_.emplace_back(stop, [this, &request] {
        if (--left_ == 0) request.cancel();
      });
    }
  }

 private:
  std::atomic<std::size_t> left_;
  std::list<std::stop_callback<std::function<void()>>> callbacks_;
};

void wait(ov::InferRequest& request, const std::optional<Time>& deadline) {
  if (deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    if (!request.wait_for(std::max(left, std::chrono::milliseconds(0)))) {
      request.cancel();
    }
  }
  request.wait();
}

void infer_stoppably(ov::InferRequest& request,
                     const exported::Waiting& waiting) {
  request.start_async();
  const Cancel cancel(waiting.stops, request);
  wait(request, waiting.deadline);
}

/// Whether the shapes of inputs say how long a run takes.
bool is_steady(const ModelHead& head) {
  constexpr std::array kBranches{"If",           "Loop",
                                 "Scan",         "TensorIterator",
                                 "operator 118", "operator 119"};  // TFLite's
  return std::none_of(kBranches.begin(), kBranches.end(), [&](const char* op) {
    return head.operators.contains(op);
  });
}

/// Runs that end before anybody could wish them to: of inputs with the shapes
/// of one that took less than 20 ms. OpenVINO stops none that runs on the
/// thread that asks for it, but to hand a run over and to be woken takes 0.1
/// ms.
class ShortRuns {
 public:
  using Shapes = std::vector<std::int64_t>;  ///< each behind its rank

  explicit ShortRuns(bool is_steady) : is_steady_(is_steady) {}

  static Shapes shapes_of(const std::vector<at::Tensor>& inputs) {
    Shapes out;
    for (const at::Tensor& input : inputs) {
      out.push_back(input.dim());
      out.insert(out.end(), input.sizes().begin(), input.sizes().end());
    }
    return out;
  }
  [[nodiscard]] bool has(const Shapes& shapes) const {
    return is_steady_ && known_.contains(shapes);
  }
  void note(const Shapes& shapes, Clock::duration took) {
    if (took >= std::chrono::milliseconds(20)) {
      known_.erase(shapes);
    } else if (known_.size() < kMost) {
      known_.insert(shapes);
    }
  }

 private:
  static constexpr std::size_t kMost = 256;

  bool is_steady_;
  std::set<Shapes> known_;
};

}  // namespace

std::string cache_named(const std::string& said) {
  if (said != "auto") return said;
  const std::filesystem::path folder = cache_folder() / "openvino-compiled";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const bool is_writable = ::access(folder.c_str(), W_OK) == 0;
  return is_writable ? folder.string() : std::string();
}

struct Session::Impl {
  explicit Impl(ModelHead model)
      : head(std::move(model)), short_runs(is_steady(head)) {}

  ModelHead head;
  ov::Core core;
  ov::CompiledModel compiled;
  ov::InferRequest request;
  std::vector<std::optional<std::size_t>> inputs, outputs;  ///< by the file's
  KeptMemory memory;                                        ///< of answers
  ShortRuns short_runs;

  void infer(const std::vector<at::Tensor>& given,
             const exported::Waiting& waiting) {
    const ShortRuns::Shapes shapes = ShortRuns::shapes_of(given);
    const Time begin = Clock::now();
    if (short_runs.has(shapes)) {
      request.infer();
    } else {
      infer_stoppably(request, waiting);
    }
    short_runs.note(shapes, Clock::now() - begin);
  }
};

Session::Session(const ModelHead& head, const ModelPorts& ports,
                 const SessionOptions& options)
    : impl_(std::make_unique<Impl>(head)) {
  try {
    // From the path, and not in two steps: a cached model is not read anew.
    impl_->compiled = impl_->core.compile_model(head.path.string(), "CPU",
                                                properties(options));
    impl_->request = impl_->compiled.create_infer_request();
  } catch (const ov::Exception& error) {
    refuse_model(head, error);
  }
  impl_->inputs = places(impl_->compiled.inputs(), ports.inputs);
  impl_->outputs = places(impl_->compiled.outputs(), ports.outputs);
  for (std::size_t i = 0; i < ports.outputs.size(); ++i) {
    if (impl_->outputs[i]) continue;
    fail(head,
         str("OpenVINO gives no output '", ports.outputs[i].file.name, "'"));
  }
}

Session::~Session() = default;

std::string Session::dtype() const {
  const ov::element::Type type =
      impl_->compiled.get_property(ov::hint::inference_precision);
  if (type == ov::element::bf16) return "bf16";
  return type == ov::element::f16 ? "fp16" : "fp32";
}

std::vector<at::Tensor> Session::run(const std::vector<at::Tensor>& inputs,
                                     const exported::Waiting& waiting) {
  if (waiting.is_over()) throw Cancelled();
  ov::InferRequest& request = impl_->request;
  try {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!impl_->inputs[i]) continue;  // nothing in the model reads it
      request.set_input_tensor(*impl_->inputs[i], borrowed(inputs[i]));
    }
    impl_->infer(inputs, waiting);
  } catch (const ov::Cancelled&) {
    throw Cancelled();
  } catch (const ov::Exception& error) {
    fail(impl_->head, "OpenVINO cannot run it: " + reason_of(error));
  }
  std::vector<at::Tensor> out;
  out.reserve(impl_->outputs.size());
  for (const auto& place : impl_->outputs) {
    out.push_back(copied(request.get_output_tensor(*place), impl_->memory));
  }
  return out;
}

}  // namespace penstock::openvino
