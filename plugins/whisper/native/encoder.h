// Whisper's encoder, 64 positions of a window at a time.
//
// After the attention of a layer every position is on its own, so a thread
// takes 64 of them through the rest of it and on to the next layer's keys and
// values while they are in its cache; one barrier ends a layer:
//
//   two convolutions, keys and values | attention, out, norm, up, gelu, down,
//   norm, the next keys and values | ... | norm, the decoder's keys and values
#pragma once

#include <vector>

#include "penstock/parallel.h"
#include "whisper/native/parts.h"

namespace penstock::whisper::native {

class Encoder {
 public:
  /// `weights` must live as long as this.
  explicit Encoder(const Weights& weights) : w_(weights) {}

  /// Encodes windows f32[mels, 2 * positions] to the decoder's keys and values
  /// of each, one a layer of the decoder.
  void run(const std::vector<const float*>& windows,
           const std::vector<std::vector<WindowKv>*>& to);
  /// Encoder output for one window, f32[positions, dim].
  [[nodiscard]] std::vector<float> encode(const float* window);

 private:
  /// Memory of one thread.
  struct Scratch {
    Scratch(const Config& config, PackedType kind)
        : rows(kind), attention(config, kind) {}
    ActivationRows rows;
    std::vector<float> frames, convolved, wide, normed, mixed;
    WindowKv::Scratch attention;
  };
  /// A work item: 64 positions of a window.
  struct Chunk {
    std::int64_t window, index, begin, count;
  };

  void reserve(std::int64_t windows);
  [[nodiscard]] Chunk chunk(std::int64_t item) const;
  /// Index of the chunk's first number in states_ and queries_.
  [[nodiscard]] std::int64_t place(const Chunk& chunk) const {
    return (chunk.window * w_.config.positions + chunk.begin) * w_.config.dim;
  }
  [[nodiscard]] float* state(const Chunk& chunk) {
    return states_.data() + place(chunk);
  }
  /// Keys and values that a layer attends to.
  [[nodiscard]] WindowKv& sound(std::size_t layer, const Chunk& chunk) {
    return (layer % 2 == 0 ? even_ : odd_)[size(chunk.window)];
  }
  void set_frames(const float* window, const Chunk& chunk, std::int64_t rows,
                  Scratch& mine) const;
  void convolve(const float* window, const Chunk& chunk, Scratch& mine);
  void store_kv(std::size_t layer, const Chunk& chunk, Scratch& mine);
  void run_layer(std::size_t layer, const Chunk& chunk, Scratch& mine);
  void finish(const Chunk& chunk, std::vector<WindowKv>& to, Scratch& mine);

  const Weights& w_;
  std::vector<float> states_, queries_;  ///< [windows, positions, dim]
  /// Keys and values by window, of even and odd layers: one is read while the
  /// other is written.
  std::vector<WindowKv> even_, odd_;
  std::vector<Scratch> scratch_;  ///< by thread
};

}  // namespace penstock::whisper::native
