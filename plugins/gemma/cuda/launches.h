// The launches of a step, in their order: what it asks of the device between
// its tables and its answers. Nothing is allocated or waited for, so all of it
// can be captured.
#pragma once

#include <functional>

#include "gemma/config.h"
#include "gemma/cuda/answers.h"
#include "gemma/cuda/buffers.h"
#include "gemma/cuda/device_model.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/step_tables.h"

namespace penstock::gemma::cuda {

/// Tokens that go through the layers together.
struct Rows {
  const StepTables& tables;
  std::int32_t rows = 0;
  std::int32_t scored = 0;
  bool all_scored = false;  ///< rows and scored rows are the same
  std::array<std::int64_t, kKinds> keys{1, 1};  ///< most that a row sees
  std::int32_t tiles = 0;   ///< of attention_tile; 0: rows go one by one
  std::int32_t groups = 0;  ///< of AttentionTileParams; 0: not of GroupKernels
};

/// A residual, on the device, and what is still to be normed and added to it.
struct Pending {
  const float* x = nullptr;     ///< [rows, hidden]
  const float* y = nullptr;     ///< [rows, hidden]; null: nothing
  const float* post = nullptr;  ///< [hidden], factors of the norm
  std::int32_t rows = 0;
};

/// Where answers are in the device's memory.
struct Answers {
  const gpu::Memory& memory;
  const AnswerLayout& layout;

  template <class T>
  [[nodiscard]] T* at(std::int64_t offset) const {
    return memory.as<T>() + offset / static_cast<std::int64_t>(sizeof(T));
  }
};

/// Which of `kernels` makes a product by the tiles that its params name; all of
/// them take only their own. Throws Error(kInternal) where there is none.
[[nodiscard]] const KernelOf<ProductParams>& product_kernel(
    const Kernels& kernels, const ProductParams& params);
[[nodiscard]] const KernelOf<GatedProductParams>& product_kernel(
    const Kernels& kernels, const GatedProductParams& params);

class Launches {
 public:
  /// All must live as long as this.
  Launches(gpu::DeviceApi& api, const Kernels& kernels, const Config& config,
           const StepLimits& limits, const DeviceModel& model,
           const Buffers& buffers)
      : api_(api),
        kernels_(kernels),
        config_(config),
        limits_(limits),
        model_(model),
        buffers_(buffers) {}

  /// Whether there are GroupKernels.
  [[nodiscard]] bool has_groups() const {
    return kernels_.groups.attention_tile.exists();
  }

  /// Is called between launches with what a layer gave; -1: the embeddings.
  using Show = std::function<void(std::int64_t layer, const Pending& out)>;

  /// All layers; gives the scored rows' residual.
  [[nodiscard]] Pending layers(const Rows& step, const Show& show) const;
  /// What `wants` says of the scored rows [first, first + count), from the
  /// residual of all of them: into the answers or, where every score is
  /// fetched, into the scores.
  void head(const Pending& all, std::int32_t first, std::int32_t count,
            const HeadWants& wants, const Answers& to,
            const StepTables& tables) const;
  /// layers() and head() of all rows as one kernel, of few rows that are all
  /// scored, where Buffers have its counters.
  void step(const Rows& rows, const HeadWants& wants, const Answers& to) const;
  /// The tokens of a step, from the answers of the one before.
  void draw(const Answers& from, const Answers& to, const StepTables& tables,
            std::int32_t ids) const;

 private:
  struct Layer;

  void embed(const Rows& step) const;
  void qkv(const Rows& step, const Layer& layer, const Residual& in) const;
  void attend(const Rows& step, const Layer& layer, std::int32_t rows,
              const std::int32_t* pick) const;
  void attend_tiles(const Rows& step, const Layer& layer) const;
  void product(const ProductParams& params) const;
  void gate_up(const Layer& layer, const Residual& in) const;
  void norm(const Residual& in) const;
  [[nodiscard]] Pending run_layer(const Rows& step, const Layer& layer,
                                  Pending at) const;
  [[nodiscard]] Choice choice(std::int32_t first, const HeadWants& wants,
                              const Answers& to, const StepTables& tables,
                              std::int32_t blocks) const;
  /// Whether its best tokens are found by a screen.
  [[nodiscard]] bool is_screened(const HeadWants& wants) const;
  void screen(const HeadParams& head) const;
  void select(const Choice& what, const HeadWants& wants, const Answers& to,
              std::int32_t rows) const;

  [[nodiscard]] Layer layer_at(std::int64_t i,
                               std::array<std::int64_t, kKinds>& of_kind) const;
  [[nodiscard]] EmbedParams embed_params(const Rows& step) const;
  [[nodiscard]] QkvParams qkv_params(const Rows& step, const Layer& layer,
                                     const Residual& in) const;
  [[nodiscard]] AttentionParams attention_params(
      const Rows& step, const Layer& layer, std::int32_t rows,
      const std::int32_t* pick) const;
  [[nodiscard]] TileSize tiles_for(const Matrix& weight, std::int32_t rows,
                                   std::int64_t outputs) const;
  [[nodiscard]] ProductParams product_params(const void* in,
                                             const Matrix& weight, float* out,
                                             std::int32_t rows,
                                             std::int64_t outputs,
                                             std::int64_t columns) const;
  [[nodiscard]] ProductParams out_params(const Layer& layer,
                                         std::int32_t rows) const;
  [[nodiscard]] ProductParams down_params(const Layer& layer,
                                          std::int32_t rows) const;
  [[nodiscard]] GateUpParams gate_up_params(const Layer& layer,
                                            const Residual& in) const;
  [[nodiscard]] SelectParams select_params(const Choice& what,
                                           const HeadWants& wants,
                                           const Answers& to,
                                           std::int32_t rows) const;
  [[nodiscard]] StepLayer step_layer(const Rows& step, const Layer& layer,
                                     Pending& at) const;
  /// The residual's buffer that `x` is not.
  [[nodiscard]] float* spare(const float* x) const;

  [[nodiscard]] Residual residual(const Pending& in, const float* weight) const;
  [[nodiscard]] bool is_tiled(std::int32_t rows) const {
    return cuda::is_tiled(limits_.type, rows);
  }
  [[nodiscard]] const WeightKernels& kernels(const Matrix& weight) const {
    return kernels_.of(weight.format);
  }
  template <class Params>
  void launch(const KernelOf<Params>& kernel, const Geometry& geometry,
              const Params& params) const {
    api_.launch(kernel, geometry, gpu::bytes_of(params));
  }

  gpu::DeviceApi& api_;
  const Kernels& kernels_;
  const Config& config_;
  const StepLimits& limits_;
  const DeviceModel& model_;
  const Buffers& buffers_;
};

}  // namespace penstock::gemma::cuda
