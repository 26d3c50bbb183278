// gemma.forward: Gemma 3 from a GGUF file or a Hugging Face folder, on any
// device that libtorch has.
#pragma once

#include <optional>
#include <string>

#include "gemma/checkpoint.h"
#include "gemma/with_engine.h"
#include "penstock/gpus.h"

namespace penstock::gemma {

/// Input: tokens i64[T]. Output: scores f32[R,V] as sequences want them; with
/// `logits: true` also logits f32[B,T,V] of every position.
class GemmaForward final : public WithEngine {
 public:
  struct Params {
    std::string engine = "auto";
    std::string dtype = "auto";
    std::string kv_dtype = "auto";
    std::string step = "graph";
    bool cache = true;
    bool logits = false;
  };
  static void declare(Declaration<GemmaForward>& d);
  [[nodiscard]] static std::string why_no_gpu(const Params& params,
                                              const std::string& model,
                                              const Gpus& gpus, int index);
  /// Throws Error(kUsage) for a word that declare() does not list.
  explicit GemmaForward(const Params& params);

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Result forward(const Step& step) override;

 private:
  enum class Runs { kNative, kCuda, kReference };
  [[nodiscard]] Runs runs(const Config& config, at::Device device) const;
  void open_engine(Checkpoint model, const StageContext& context);
  /// Of sequences as long as the context of `config`, given in chunks.
  void foresee_native(const Checkpoint& model, const Config& config,
                      const MemoryLoad& load, std::int64_t chunk,
                      Footprint& own) const;

  /// The params with their words understood.
  struct Choice {
    EngineKind engine;
    Dtype dtype, kv_dtype;
    StepWay step;
    bool cache, logits;

    explicit Choice(const Params& params);
    /// Whether only the reference engine does what they say.
    [[nodiscard]] bool is_reference() const {
      return engine == EngineKind::kReference || !cache || logits;
    }
    /// What does not go together, or "".
    [[nodiscard]] std::string conflict() const;
  };

  Choice choice_;
  std::optional<Config> config_;
};

}  // namespace penstock::gemma
