#include "tests/plugins/gemma/cuda/screen_cases.h"

#include <cmath>
#include <limits>

#include "gemma/cuda/kernels.h"

namespace penstock::gemma::cuda {

std::vector<ScreenCase> plain_cases() {
  return {
      {.name = "one_row"},
      {.name = "one_token", .vocab = 1, .k = 8, .blocks = 1},
      {.name = "no_best", .k = 0, .wanted = {3, -1, 199}},
      {.name = "blocks_without_tokens", .vocab = 70, .k = 8, .blocks = 9},
      {.name = "three_rows", .rows = 3, .vocab = 333, .k = 8},
      {.name = "eight_rows",
       .rows = 8,
       .vocab = 1500,
       .hidden = 176,
       .k = kMostBest,
       .blocks = 5,
       .is_reversed = true},
      {.name = "many_blocks",
       .rows = 2,
       .vocab = 9000,
       .k = kMostBest,
       .blocks = 270},
      {.name = "fewer_groups_than_wanted",
       .vocab = 2000,
       .k = kMostBest,
       .blocks = 4},
      {.name = "single_scores",
       .rows = 5,
       .vocab = 500,
       .k = 8,
       .wanted = {499, 7, -1, 7, 40}},
      {.name = "masks", .rows = 6, .k = 8, .wanted = {0, 1}, .has_masks = true},
      {.name = "masks_of_many",
       .rows = 8,
       .vocab = 1111,
       .k = kMostBest,
       .blocks = 6,
       .has_masks = true,
       .is_reversed = true},
      {.name = "empty_rows",
       .rows = 4,
       .vocab = 3000,
       .k = kMostBest,
       .x_rows = {1, -1, 0, -1},
       .wanted = {17}},
      {.name = "masked_empty_rows",
       .rows = 5,
       .k = 8,
       .x_rows = {-1, -1, -1, 0, -1},
       .has_masks = true},
  };
}

std::vector<ScreenCase> odd_cases() {
  return {
      {.name = "all_are_equal",
       .rows = 2,
       .vocab = 2000,
       .k = kMostBest,
       .weights = [](int, int column,
                     float) { return static_cast<float>(column % 5 - 2); }},
      {.name = "pairs_are_equal",
       .vocab = 900,
       .k = 7,
       .weights =
           [](int row, int column, float) {
             return std::sin(static_cast<float>(row / 2 * 31 + column));
           }},
      // One differs from the next by a last bit: all may be the best.
      {.name = "all_are_near",
       .rows = 8,
       .vocab = 2500,
       .hidden = 64,
       .k = 8,
       .weights = [](int row, int column,
                     float) { return column == row % 64 ? 1.0078125F : 1.0F; }},
      {.name = "a_huge_column_of_weights",
       .rows = 2,
       .vocab = 700,
       .k = 8,
       .weights = [](int, int column,
                     float random) { return column == 5 ? 1e6F : random; }},
      {.name = "a_huge_column_of_rows",
       .rows = 3,
       .vocab = 700,
       .k = 8,
       .x = [](int, int column,
               float random) { return column == 9 ? 1e9F : random; }},
      {.name = "zeros_of_weights",
       .rows = 2,
       .k = kMostBest,
       .weights = [](int row, int,
                     float random) { return row % 3 == 0 ? 0.0F : random; }},
      {.name = "all_weights_zero",
       .k = 8,
       .weights = [](int, int, float) { return 0.0F; }},
      {.name = "tiny_weights",
       .k = 8,
       .weights =
           [](int row, int, float random) {
             return random * (row % 2 == 0 ? 1e-32F : 1e-25F);
           }},
      {.name = "huge_scores", .rows = 2, .k = 8, .norm = 3e32F},
      {.name = "tiny_scores", .rows = 2, .k = 8, .norm = 1e-14F},
      {.name = "no_scores", .rows = 2, .k = 8, .norm = 1e-30F},
      // Their squares are none.
      {.name = "tiny_rows",
       .rows = 2,
       .k = 8,
       .weights = [](int, int, float random) { return random * 1e3F; },
       .norm = 1e-24F},
      {.name = "infinite_scores",
       .rows = 2,
       .k = kMostBest,
       .weights = [](int, int, float random) { return random * 1e30F; },
       .norm = 1e12F},
      // Each of a group of its own, far from the next, and codes as they are,
      // so that the floor is the last of the best.
      {.name = "far_apart",
       .rows = 2,
       .vocab = 1280,
       .hidden = 64,
       .k = 8,
       .blocks = 40,
       .weights =
           [](int row, int column, float random) {
             if (row % 40 != 10) return 0.1F * random;
             const float level = 1 - static_cast<float>(row / 40) / 40;
             const float base = column % 3 == 0 ? 1 : -1;
             return row / 40 % 2 == 0 ? level * base : -level * base;
           }},
      {.name = "nan",
       .rows = 3,
       .vocab = 800,
       .k = 8,
       .x =
           [](int row, int column, float random) {
             return row == 1 && column == 3
                        ? std::numeric_limits<float>::quiet_NaN()
                        : random;
           }},
      {.name = "infinite_and_masked",
       .rows = 4,
       .k = kMostBest,
       .wanted = {5},
       .has_masks = true,
       .x =
           [](int row, int column, float random) {
             return row % 2 == 1 && column == 3
                        ? std::numeric_limits<float>::infinity()
                        : random;
           }},
  };
}

}  // namespace penstock::gemma::cuda
