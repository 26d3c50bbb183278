#include "efficientnet/forward.h"

#include <filesystem>

#include "penstock/keys.h"

namespace penstock::efficientnet {
namespace {

constexpr const char* kNativeIsOfTheCpu =
    "engine: native runs on the CPU alone; use engine: reference";

Architecture architecture_of(const EfficientNetForward::Params& p) {
  Architecture out = architecture(p.variant);
  if (!p.blocks.empty()) out.blocks = parse_blocks(p.blocks);
  out.stem = p.stem;
  out.head = p.head;
  out.epsilon = p.epsilon;
  out.is_same_padding = p.padding == "same";
  rename(out, p.names);
  if (out.blocks.front().in != out.stem) {
    throw Error(Code::kData,
                str("blocks: the first takes ", out.blocks.front().in,
                    " channels, the stem gives ", out.stem));
  }
  return out;
}

std::string conflict(const EfficientNetForward::Params& p) {
  try {
    (void)architecture_of(p);
    return "";
  } catch (const Error& error) {
    return error.text();
  }
}

}  // namespace

void EfficientNetForward::declare(Declaration<EfficientNetForward>& d) {
  d.doc("Image classifier: EfficientNet-Lite, or blocks as the file says")
      .input("pixels: f32[B,3,H,W]")
      .output("logits: f32[B,K]")
      .layouts({Layout::kStacked})
      .devices({"cpu", "cuda"})
      .makes(kDtype);
  d.param("variant", &Params::variant, "size of the network")
      .choices(variants());
  d.param("blocks", &Params::blocks,
          "blocks other than the variant's, written r2_k5_s2_e6_i24_o40: "
          "repeats, kernel, stride, expansion, channels in and out");
  d.param("stem", &Params::stem, "channels after the first convolution")
      .range(1, 4096);
  d.param("head", &Params::head, "channels before the classifier")
      .range(1, 65536);
  d.param("padding", &Params::padding,
          "same: TensorFlow's, which may differ on two sides; symmetric: "
          "PyTorch's")
      .choices({"same", "symmetric"});
  d.param("epsilon", &Params::epsilon, "of the batch norms").range(1e-12, 1);
  d.param(
      "names", &Params::names,
      "names of weights in the file where they differ, written "
      "stem.conv=features.0.0; {i} is the number of a block, {j} the next one");
  d.param("engine", &Params::engine,
          "auto: native on a CPU; reference: the network in ATen operations, "
          "on any device")
      .choices({"auto", "native", "reference"});
  d.check(conflict);
}

std::string EfficientNetForward::why_no_gpu(const Params& params,
                                            const std::string& /*model*/,
                                            const Gpus& gpus, int /*index*/) {
  return params.engine == "native" ? kNativeIsOfTheCpu : why_unusable(gpus);
}

Footprint EfficientNetForward::memory(const StageContext& context) const {
  std::error_code error;
  const auto size = std::filesystem::file_size(context.model, error);
  if (error) return {};
  const auto bytes = static_cast<std::int64_t>(size);
  // While they are packed the weights are there as tensors, and in the file.
  return {.bytes = bytes, .opening_bytes = 2 * bytes};
}

void EfficientNetForward::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the pipeline file or "
                "pass --set model=...");
  }
  const Architecture shape = architecture_of(params_);
  const WeightFile file = WeightFile::open(context.model);
  const bool is_cpu = context.device.is_cpu();
  if (params_.engine == "native" && !is_cpu) {
    throw Error(Code::kUsage, kNativeIsOfTheCpu);
  }
  if (is_cpu && params_.engine != "reference") {
    native_ = std::make_unique<native::Network>(load_weights(file, shape),
                                                shape, native::kernels());
  } else {
    reference_ = std::make_unique<Reference>(load_weights(file, shape), shape,
                                             context.device);
  }
  set(context.facts, kDtype, "fp32");
}

void EfficientNetForward::close() noexcept {
  reference_.reset();
  native_.reset();
}

Result EfficientNetForward::forward(const Step& step) {
  const at::Tensor& pixels = get(step.inputs, "pixels");
  if (pixels.dim() != 4 || pixels.size(1) != 3 ||
      pixels.scalar_type() != at::kFloat) {
    throw Error(Code::kData,
                "pixels must be f32[B,3,H,W] in rgb; set "
                "preprocess.channels to rgb");
  }
  Result result;
  result.out = {{"logits", native_ != nullptr ? native_->run(pixels)
                                              : reference_->run(pixels)}};
  return result;
}

}  // namespace penstock::efficientnet
