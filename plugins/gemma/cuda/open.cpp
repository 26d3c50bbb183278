#include "gemma/cuda/open.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "gemma/native/layers.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

/// Of an H100; buffers grow with it a little.
constexpr int kManyProcessors = 132;

/// Whether code for the architectures "80, 90" runs on a card of such a
/// compute capability: of its major version that is no newer, or any newer one,
/// for which the driver compiles what the last has as PTX.
bool is_covered(std::string_view architectures, int capability) {
  int last = 0;
  while (!architectures.empty()) {
    const char* const end = architectures.data() + architectures.size();
    const auto [stop, error] = std::from_chars(architectures.data(), end, last);
    if (error != std::errc()) return false;
    if (last / 10 == capability / 10 && last <= capability) return true;
    architectures.remove_prefix(
        static_cast<std::size_t>(stop - architectures.data()));
    architectures.remove_prefix(
        std::min(architectures.find_first_not_of(", "), architectures.size()));
  }
  return last > 0 && capability >= last;
}

/// Rows of a pass: of larger steps more, of which launches cost less and fill
/// all processors.
constexpr std::int64_t kLeastRows = 2048;
constexpr std::int64_t kMostRows = 8192;

}  // namespace

std::string why_not(const Config& config, Dtype dtype, Dtype kv_dtype,
                    StepWay step) {
  const Dtype kept = dtype == Dtype::kInt8 ? Dtype::kBf16 : dtype;
  if (kv_dtype != Dtype::kAuto && kv_dtype != kept) {
    return "on a card, keys and values have the dtype of the weights, bf16 "
           "with int8; leave kv_dtype out";
  }
  const NumberType type =
      dtype == Dtype::kFp32 ? NumberType::kF32 : NumberType::kBf16;
  const char* wrong =
      CudaEngine::cannot_run(config, type, step == StepWay::kPersistent);
  return wrong == nullptr ? "" : wrong;
}

std::string why_no_card(const CudaLibrary& library, const Gpus& gpus, int index,
                        StepWay step) {
  std::string why = why_no_driver(gpus, library.runtime);
  if (why.empty() && step == StepWay::kPersistent) {
    // The same of any type.
    const Kernel& kernel =
        library.kernels(NumberType::kBf16, /*has_groups=*/false).step;
    why = gpu::why_not_launched(kernel, gpus.cuda);
  }
  if (!why.empty()) return why;
  const Gpu& gpu = gpus.all.at(static_cast<std::size_t>(index));
  if (is_covered(library.architectures, 10 * gpu.major + gpu.minor)) return "";
  return str("it has code for the compute capabilities ", library.architectures,
             ", and ", gpu.name, " has ", 10 * gpu.major + gpu.minor,
             "; build with that in PENSTOCK_CUDA_ARCHITECTURES");
}

WeightChoice weight_choice(const Checkpoint& model, Dtype dtype,
                           bool has_bf16) {
  const bool is_quantised = native::is_quantised(model);
  switch (dtype) {
    case Dtype::kAuto:
      if (!has_bf16) return {NumberType::kF32, false};
      return {NumberType::kBf16, is_quantised};
    case Dtype::kFp32:
      return {NumberType::kF32, false};
    case Dtype::kBf16:
      return {NumberType::kBf16, false};
    case Dtype::kInt8:
      break;
  }
  if (!is_quantised) {
    throw Error(Code::kUsage,
                "dtype: int8 needs quantised weights; this model's are not");
  }
  return {NumberType::kBf16, true};
}

CudaEngine::Options options_of(const WeightChoice& weights, StepWay step,
                               const StageContext& context) {
  return {.type = weights.type,
          .keeps_codes = weights.keeps_codes,
          .slots = context.slots,
          .chunk = context.max_step_tokens,
          .rows = static_cast<std::int32_t>(
              std::clamp(context.max_step_tokens, kLeastRows, kMostRows)),
          .is_one_kernel = step == StepWay::kPersistent,
          .screens = step == StepWay::kScreened};
}

std::unique_ptr<Engine> open_engine(const CudaLibrary& library,
                                    const Checkpoint& model, Dtype dtype,
                                    StepWay step, const StageContext& context) {
  const int index = context.device.has_index() ? context.device.index() : 0;
  std::shared_ptr<gpu::DeviceApi> api = library.open(index);
  const gpu::DeviceFacts facts = api->facts();
  const WeightChoice weights = weight_choice(model, dtype, facts.has_bf16);
  return std::make_unique<CudaEngine>(
      std::move(api), library.kernels(weights.type, facts.has_groups), model,
      options_of(weights, step, context));
}

void foresee(const Checkpoint& model, const Config& config,
             const WeightChoice& weights, StepWay step,
             const StageContext& context, Footprint& own) {
  const MemoryNeed need = CudaEngine::memory(
      model, config, options_of(weights, step, context), kManyProcessors);
  own.bytes = need.weights + need.buffers;
  own.sequence_bytes = need.sequence_bytes();
}

}  // namespace penstock::gemma::cuda
