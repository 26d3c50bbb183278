// Whisper's encoder, 64 positions of a window at a time.
//
// What follows the attention of a layer concerns each position alone, so a
// thread takes 64 of them through it and on to the next layer's keys and
// values while they are in its cache; threads meet once a layer:
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

  /// Windows f32[mels, 2 * positions] to the decoder's keys and values of each,
  /// one a layer of the decoder.
  void run(const std::vector<const float*>& windows,
           const std::vector<std::vector<WindowKv>*>& to);
  /// The encoder's own answer to one window, f32[positions, dim].
  [[nodiscard]] std::vector<float> encode(const float* window);

 private:
  /// What a thread has for itself.
  struct Scratch {
    Scratch(const Config& config, PackedType kind)
        : rows(kind), attention(config, kind) {}
    ActivationRows rows;
    std::vector<float> frames, convolved, wide, normed, mixed;
    WindowKv::Scratch attention;
  };
  /// 64 positions of a window.
  struct Chunk {
    std::int64_t window, index, begin, count;
  };

  void reserve(std::int64_t windows);
  [[nodiscard]] Chunk chunk(std::int64_t item) const;
  /// Where the chunk's numbers begin in states_ and queries_.
  [[nodiscard]] std::int64_t place(const Chunk& chunk) const {
    return (chunk.window * w_.config.positions + chunk.begin) * w_.config.dim;
  }
  [[nodiscard]] float* state(const Chunk& chunk) {
    return states_.data() + place(chunk);
  }
  /// What a layer attends to.
  [[nodiscard]] WindowKv& sound(std::size_t layer, const Chunk& chunk) {
    return (layer % 2 == 0 ? even_ : odd_)[size(chunk.window)];
  }
  void convolve(const float* window, const Chunk& chunk, Scratch& mine);
  void store_kv(std::size_t layer, const Chunk& chunk, Scratch& mine);
  void run_layer(std::size_t layer, const Chunk& chunk, Scratch& mine);
  void finish(const Chunk& chunk, std::vector<WindowKv>& to, Scratch& mine);

  const Weights& w_;
  std::vector<float> states_, queries_;  ///< [windows, positions, dim]
  /// By window, of even and odd layers: one is read while the other is written.
  std::vector<WindowKv> even_, odd_;
  std::vector<Scratch> scratch_;  ///< by thread
};

}  // namespace penstock::whisper::native
