// The layers of Gemma 3 as one parallel region a step (Gemma Team, 2025).
//
// All threads walk through the layers together, each doing its share of a
// phase; a barrier ends each phase:
//
//   norm, quantise | q k v | norm, rope, store | attention | merge, quantise
//   | out | add, norm, quantise | gate, up, gelu, quantise | down | add
//
// Nothing is allocated on the way once the largest step has been seen.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "gemma/checkpoint.h"
#include "gemma/native/attention.h"
#include "gemma/native/kv_pages.h"
#include "gemma/native/layers.h"
#include "lib/kernels/kernels.h"
#include "lib/kernels/share.h"
#include "penstock/parallel.h"

namespace penstock::gemma::native {

using kernels::kBlock;

/// One sequence's tokens of a step: [begin, begin + tokens.size()).
struct SequenceChunk {
  std::int64_t begin = 0;
  std::span<const std::int64_t> tokens;
  KvPages* cache = nullptr;
};

class Model {
 public:
  /// `model` must live as long as this: the embeddings are read from it.
  Model(const Checkpoint& model, ComputeType mode, KvType kv_type);
  ~Model();

  /// Sizes that the kernels can do; the reference engine does all.
  [[nodiscard]] static bool can_run(const Config& config);
  /// Bytes of memory for steps of so many tokens, allocated when first needed.
  [[nodiscard]] static std::int64_t step_bytes(const Config& config,
                                               ComputeType mode,
                                               std::int64_t rows);

  /// Final normed hidden states [wanted, hidden]; `wanted` are positions among
  /// the chunks' tokens end to end, ascending. Extends the caches.
  /// `show`, where given, sees every row behind each layer, of the last one the
  /// wanted rows; the embeddings are layer -1. On one thread.
  using Show = std::function<void(std::int64_t layer, const float* x,
                                  std::int64_t rows)>;
  void run(std::span<const SequenceChunk> chunks,
           std::span<const std::int64_t> wanted, float* hidden,
           const Show& show = {});

 private:
  struct Prepared;
  struct Step;
  struct Scratch;
  struct Tile;
  struct ThreadScratch;

  struct Product {
    const PackedMatrix* matrix;
    float* out;  ///< [rows, matrix rows]
  };

  [[nodiscard]] static Step plan(std::span<const SequenceChunk> chunks,
                                 std::span<const std::int64_t> wanted);
  void embed(const Step& step, std::int64_t row) const;
  void prepare(const float* x, std::int64_t n, std::int64_t row) const;
  void project(std::initializer_list<Product> products, const Prepared& x,
               std::int64_t rows, int thread, int threads) const;
  void gate(const Layer& w, std::int64_t rows, int thread, int threads) const;
  void place(const Step& step, std::int64_t index, std::int64_t row) const;
  [[nodiscard]] Queries queries(const Step& step, const Tile& tile,
                                std::int64_t layer) const;
  void set_queries(const Tile& tile, std::int64_t kv_head,
                   ThreadScratch& mine) const;
  void finish(const Tile& tile, std::int64_t kv_head,
              const PartialAttention& answers) const;
  [[nodiscard]] std::int64_t pages(const Step& step, const Tile& tile,
                                   std::int64_t layer) const;
  void attend_page(const Step& step, std::int64_t layer, const Tile& tile,
                   std::int64_t kv_head, std::int64_t page, ThreadScratch& mine,
                   PartialAttention& to) const;
  void attend_tile(const Step& step, std::int64_t layer, const Tile& tile,
                   std::int64_t kv_head, ThreadScratch& mine) const;
  void attend_split(const Step& step, std::int64_t layer,
                    const std::vector<Tile>& tiles, std::int64_t most,
                    int thread, Team& team) const;
  void attend(const Step& step, std::int64_t layer,
              const std::vector<Tile>& tiles, int thread, Team& team) const;
  void run_attention(const Step& step, std::int64_t index, int thread,
                     Team& team) const;
  void set_mixed(const Step& step, std::int64_t index,
                 const kernels::Share& kept, float* x) const;
  void run_layer(const Step& step, std::int64_t index, int thread,
                 Team& team) const;
  void show_layer(const Step& step, std::int64_t index, int thread, Team& team,
                  const Show& show) const;

  [[nodiscard]] float epsilon() const {
    return static_cast<float>(config_.norm_epsilon);
  }
  [[nodiscard]] bool is_last(std::int64_t layer) const {
    return layer + 1 == config_.layers;
  }

  Config config_;
  const Kernels& kernels_;
  ComputeType mode_;
  KvType kv_type_;
  const WeightTensor& embedding_;
  std::vector<Layer> layers_;
  std::vector<float> norm_;
  std::vector<float> frequencies_, local_frequencies_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace penstock::gemma::native
