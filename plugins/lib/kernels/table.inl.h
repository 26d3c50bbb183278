// One level's table of kernels; included by kernels_*.cpp only.
#pragma once

#include "lib/kernels/coded.inl.h"
#include "lib/kernels/floats.inl.h"
#include "lib/kernels/kernels.h"
#include "lib/kernels/rounded.inl.h"
#include "lib/kernels/rows.inl.h"
#include "lib/kernels/screen.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

inline Kernels make_table(const char* name) {
  using L = Lanes;
  return {
      .name = name,
      .has_int16_dots = L::kHasInt16Dots,
      // In the order of PackedType.
      .matmul = {coded_matmul<L, Coding<8, 32, 128, true>>,
                 coded_matmul<L, Coding<4, 32, 8, true>>,
                 coded_matmul<L, Coding<5, 32, 16, true>>,
                 coded_matmul<L, Coding<4, 32, 0, true>>,
                 coded_matmul<L, Coding<5, 32, 0, true>>,
                 coded_matmul<L, Coding<4, 32, 0, false>>,
                 coded_matmul<L, Coding<5, 32, 0, false>>,
                 coded_matmul<L, Coding<4, 16, 4, false>>,
                 coded_matmul<L, Coding<4, 16, 0, false>>,
                 coded_matmul<L, Coding<6, 16, 32, false>>, bf16_matmul<L>,
                 float_matmul<L, true>, float_matmul<L, false>,
                 wide_matmul<L, std::int16_t>, wide_matmul<L, std::int8_t>,
                 byte_matmul<L>},
      .norm = norm<L>,
      .layer_norm = layer_norm<L>,
      .add_norm = add_norm<L>,
      .quantise = quantise<L>,
      .quantise16 = quantise_wide<L, std::int16_t>,
      .quantise8 = quantise_wide<L, std::int8_t>,
      .quantise_row16 = quantise_row16<L>,
      .to_bf16 = to_bf16<L>,
      .gelu = gelu<L>,
      .gelu_mul = gelu_mul<L>,
      .rope = rope<L>,
      .softmax_exp = softmax_exp<L>,
      .scale_add = scale_add<L>,
      .dot = dot<L>,
      .dot_q8 = dot_q8<L>,
      .round_to = round_to<L>,
      .screen = screen<L>,
      .find_at_least = find_at_least<L>,
      .find_reaching = find_reaching<L>,
  };
}

}  // namespace penstock::kernels::PENSTOCK_LEVEL
