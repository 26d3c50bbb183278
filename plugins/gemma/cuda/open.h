// From gemma.forward's params to the CUDA engine: what it can do, on which
// numbers, in how much memory.
#pragma once

#include <memory>
#include <string>

#include "gemma/cuda/engine.h"
#include "gemma/cuda/library.h"
#include "penstock/gpus.h"
#include "penstock/stage.h"

namespace penstock::gemma::cuda {

/// Why this engine cannot run such a model; "": it can, where its library is.
[[nodiscard]] std::string why_not(const Config& config, Dtype dtype,
                                  Dtype kv_dtype,
                                  StepWay step = StepWay::kGraph);

/// Why the library's code cannot run on gpus.all[index]: its driver, or a card
/// of another architecture; "": it can. Nothing is opened there. Steps by one
/// kernel need a newer driver than others.
[[nodiscard]] std::string why_no_card(const CudaLibrary& library,
                                      const Gpus& gpus, int index,
                                      StepWay step = StepWay::kGraph);

/// What `dtype` means for a model, as on a CPU: auto keeps quantised weights as
/// they are, where the card computes in bf16; others become bf16 there, else
/// fp32. int8 keeps them. Throws Error(kUsage) for int8 and weights that are
/// not quantised.
[[nodiscard]] WeightChoice weight_choice(const Checkpoint& model, Dtype dtype,
                                         bool has_bf16);

/// What open_engine() asks for. Its `rows`, for which buffers and so the memory
/// that foresee() tells of are, are the most tokens of a prompt in one step,
/// context.max_step_tokens, but from 2,048 (also where that is unknown) to
/// 8,192.
[[nodiscard]] CudaEngine::Options options_of(const WeightChoice& weights,
                                             StepWay step,
                                             const StageContext& context);

/// Opens card context.device of `library` with the model on it.
[[nodiscard]] std::unique_ptr<Engine> open_engine(const CudaLibrary& library,
                                                  const Checkpoint& model,
                                                  Dtype dtype, StepWay step,
                                                  const StageContext& context);

/// What open_engine() will take of the card, of sequences as long as the
/// context of `config`: of one with many processors.
void foresee(const Checkpoint& model, const Config& config,
             const WeightChoice& weights, StepWay step,
             const StageContext& context, Footprint& own);

}  // namespace penstock::gemma::cuda
