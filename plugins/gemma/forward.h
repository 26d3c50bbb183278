// gemma.forward: Gemma 3 from a GGUF file, on any device that libtorch has.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kv_cache.h"
#include "model.h"
#include "penstock/forward.h"

namespace penstock::gemma {

/// Input: tokens i64[T]. Output: scores f32[R,V] as rows want them; with
/// `logits: true` also logits f32[B,T,V] of every position.
class GemmaForward final : public Forward {
 public:
  struct Params {
    std::string dtype = "auto";
    bool cache = true;
    bool logits = false;
  };
  static void declare(Declaration<GemmaForward>& d);
  explicit GemmaForward(Params params) : params_(std::move(params)) {}

  [[nodiscard]] std::int64_t memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override;
  void truncate(int slot, std::int64_t length) override;
  void copy(int from, int to) override;

 private:
  [[nodiscard]] at::ScalarType dtype(at::Device device) const;
  [[nodiscard]] std::vector<Part> parts(const Step& step);
  [[nodiscard]] Scores score(const at::Tensor& hidden, const Step& step) const;

  Params params_;
  std::optional<Config> config_;
  std::optional<Model> model_;
  at::Device device_ = at::kCPU;
  std::vector<std::unique_ptr<KvCache>> caches_;  ///< by slot; null: empty
  at::TensorOptions cache_options_;
};

}  // namespace penstock::gemma
