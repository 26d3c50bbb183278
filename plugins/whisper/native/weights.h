// The arrays of a model in the native engine's form: matrices in panels, the
// rest as they are.
#pragma once

#include <string>
#include <vector>

#include "lib/kernels/matrix.h"
#include "whisper/model.h"

namespace penstock::whisper::native {

using kernels::Matrix;
using kernels::PackedType;

struct Linear {
  Matrix matrix;
  std::vector<float> bias;
};

struct Norm {
  std::vector<float> weight, bias;
};

struct Layer {
  Norm attention_norm, window_norm, ffn_norm;
  Linear qkv, attention_out;               ///< over its own sequence
  Linear window_q, window_kv, window_out;  ///< the decoder's, over the sound
  Linear up, down;
};

struct Weights {
  Weights(const Arrays& file, PackedType matrices);

  Config config;
  PackedType kind;  ///< type of every matrix
  /// Convolutions by rows of three neighbouring frames, [dim, 3 * channels].
  Linear conv1, conv2;
  std::vector<float> encoder_positions, decoder_positions;  ///< [T, dim]
  Matrix embeddings;                                        ///< [vocab, dim]
  std::vector<Layer> encoder, decoder;
  Norm encoder_norm, decoder_norm;
};

}  // namespace penstock::whisper::native
