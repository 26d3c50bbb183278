// Whisper's decoder: all texts of a step together, as one parallel region.
//
// All threads walk through the layers, each doing its share of a phase; a
// barrier ends each phase:
//
//   norm | q k v | store, attention over the text | out | add, norm | window q
//   | attention over the sound | window out | add, norm | up | gelu | down |
//   add
#pragma once

#include <span>
#include <vector>

#include "penstock/parallel.h"
#include "whisper/native/parts.h"

namespace penstock::whisper::native {

/// Keys and values of a text, and of the window that it is about.
class TextState {
 public:
  TextState() = default;
  TextState(const Config& config, PackedType kind);
  [[nodiscard]] static std::int64_t bytes(const Config& config,
                                          PackedType kind);
  [[nodiscard]] bool is_empty() const { return cross_kv.empty(); }

  /// Keys of a layer and head: [context, 64].
  [[nodiscard]] float* keys(std::size_t layer, std::int64_t head);
  [[nodiscard]] float* values(std::size_t layer, std::int64_t head);

  std::int64_t length = 0;         ///< tokens
  std::vector<WindowKv> cross_kv;  ///< by layer

 private:
  std::int64_t heads_ = 0, context_ = 0;
  std::vector<float> cache_;
};

/// New tokens of one text: [text->length, + tokens.size()).
struct SequenceChunk {
  TextState* text = nullptr;
  std::span<const std::int64_t> tokens;
};

class Decoder {
 public:
  /// `weights` must live as long as this.
  explicit Decoder(const Weights& weights)
      : w_(weights), narrow_(weights.kind), long_(weights.kind) {}

  /// Scores [wanted, vocab rounded up to 16] behind the tokens at `wanted`,
  /// positions among the chunks' tokens end to end. Extends the texts.
  [[nodiscard]] const float* run(std::span<const SequenceChunk> chunks,
                                 std::span<const std::int64_t> wanted);
  [[nodiscard]] std::int64_t stride() const {
    return w_.embeddings.panels().rows;
  }

 private:
  /// One token of the step.
  struct StepToken {
    std::size_t chunk;
    std::int64_t position;
  };
  /// Memory of one thread.
  struct Scratch {
    Scratch(const Config& config, PackedType kind) : attention(config, kind) {}
    std::vector<float> normed, scores;
    WindowKv::Scratch attention;
  };
  /// One thread of the parallel region, and its share of the step's tokens.
  struct Worker {
    Team& team;
    Scratch& scratch;
    int thread;
    kernels::Share rows;

    [[nodiscard]] kernels::Share share(std::int64_t count) const {
      return {count, thread, team.size()};
    }
  };

  void reserve();
  void embed(std::span<const SequenceChunk> chunks, std::int64_t row);
  void set_normed(const Norm& norm, std::int64_t row, Scratch& mine);
  void share_product(const Linear& linear, float* y, int thread, int threads);
  void attend_text(std::span<const SequenceChunk> chunks, std::size_t layer,
                   std::int64_t row, std::int64_t head, Scratch& mine);
  void store(std::span<const SequenceChunk> chunks, std::size_t layer,
             std::int64_t row);
  void attend_cross(std::span<const SequenceChunk> chunks, std::size_t layer,
                    std::size_t chunk, std::int64_t head, Scratch& mine);
  void product(const Linear& linear, Worker& me);
  void add_product(const Linear& linear, const Norm* next, Worker& me);
  void set_mixed(Worker& me);
  void score(std::span<const std::int64_t> wanted, Worker& me);
  void run_layer(std::span<const SequenceChunk> chunks, std::size_t layer,
                 Worker& me);

  const Weights& w_;
  std::vector<StepToken> rows_;
  std::vector<std::int64_t> starts_;  ///< by chunk: its first token in the step
  std::vector<float> x_, wide_, mixed_, scores_;
  ActivationRows narrow_, long_;  ///< with dim and with ffn columns
  std::vector<Scratch> scratch_;  ///< by thread
};

}  // namespace penstock::whisper::native
