// The kernel `screen`: of few rows, between what each token's score must be,
// from a byte for each of its numbers (screen_codes.h says how they lie).
//
// A lane has a token, so nothing is summed over lanes. Hidden states become 16
// bits, their upper and lower bytes apart: both are multiplied in whole
// numbers, four at once, so that eight rows cost less than the bytes take to
// come.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/norm.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// What a block has of the vocabulary: each so many-th panel of 32 tokens, as
/// those that are likely stand side by side.
struct PanelShare {
  int first, step, vocab;

  PENSTOCK_GPU PanelShare(int block, const Choice& c)
      : first(block), step(c.blocks), vocab(c.vocab) {}
  [[nodiscard]] PENSTOCK_GPU int panels() const {
    const int all = (vocab + kWarp - 1) / kWarp;
    return first < all ? (all - first + step - 1) / step : 0;
  }
  /// Of its n-th panel, the number among all.
  [[nodiscard]] PENSTOCK_GPU int panel(int n) const { return first + n * step; }
  /// Its i-th token; the last panel may have some that are none.
  [[nodiscard]] PENSTOCK_GPU int token(int i) const {
    return panel(i / kWarp) * kWarp + i % kWarp;
  }
};

/// sum + the products of four signed bytes.
PENSTOCK_GPU int dot_bytes(std::uint32_t a, std::uint32_t b, int sum) {
#ifdef __CUDA_ARCH__
  return __dp4a(static_cast<int>(a), static_cast<int>(b), sum);
#else
  for (int i = 0; i < 4; ++i) {
    sum += static_cast<std::int8_t>(a >> (8 * i)) *
           static_cast<std::int8_t>(b >> (8 * i));
  }
  return sum;
#endif
}

/// Numbers [0, 4) as the upper and the lower bytes of their codes: a code is
/// 256 * upper + lower, both signed.
PENSTOCK_GPU void code_four(const float* numbers, float inverse,
                            std::uint32_t& upper, std::uint32_t& lower) {
  upper = lower = 0;
  PENSTOCK_UNROLL
  for (int i = 0; i < 4; ++i) {
    const auto code = static_cast<int>(rintf(numbers[i] * inverse));
    const int high = (code + 128) >> 8;
    const auto low = static_cast<std::uint32_t>(code - high * 256);
    upper |= (static_cast<std::uint32_t>(high) & 0xffU) << (8 * i);
    lower |= (low & 0xffU) << (8 * i);
  }
}

/// A row's codes in place of its bf16, by a warp: of 16 columns the words are
/// two of upper bytes, two of lower ones, and so once more. `factors` are set
/// to what a code is worth and to the row's length; that is infinite where the
/// row is not to be screened.
template <BlockOfThreads Block, class Row, class Factors>
PENSTOCK_GPU void code_row(Block& block, const ScreenedParams& p, Row row,
                           Factors factors) {
  const int n = p.head.in.hidden;
  float most = 0;
  float squares = 0;
  for (int i = block.lane() * 8; i < n; i += kWarp * 8) {
    float x[8];
    load8(block, row + i, x);
    add_squares(x, squares);
    PENSTOCK_UNROLL
    for (const float each : x) most = fmaxf(most, fabsf(each));
  }
  most = warp_max(block, most);
  const float length = sqrtf(warp_sum(block, squares));
  // NaN is not below; beyond these, squares or scores would not be floats.
  const bool is_screened = length * p.codes.longest < kMostScreened &&
                           (most == 0 || most > kLeastScreened);
  const float inverse = is_screened && most > 0 ? kMostCode / most : 0.0F;
  const auto words = block.template reuse<std::uint32_t>(row, "codes");
  for (int i = block.lane() * 8; i < n; i += kWarp * 8) {
    float x[8];
    load8(block, row + i, x);
    PENSTOCK_UNROLL
    for (float& each : x) each = is_screened ? each : 0.0F;
    Wide<std::uint32_t> codes;
    code_four(x, inverse, codes.at[0], codes.at[2]);
    code_four(x + 4, inverse, codes.at[1], codes.at[3]);
    block.store(words + i / 2, codes);
  }
  if (block.lane() == 0) {
    factors[0] = is_screened ? most / kMostCode : 0.0F;
    factors[1] = is_screened ? length * kLengthSlack : INFINITY;
  }
}

/// Adds the products of 16 columns of a lane's token with those of the rows,
/// `stride` words apart.
template <int kRows, BlockOfThreads Block, class Words>
PENSTOCK_GPU void add_products(Block& block, const Wide<std::uint32_t>& codes,
                               Words words, int rows, int stride,
                               int (&upper)[kRows], int (&lower)[kRows]) {
  PENSTOCK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const auto row = words + least(r, rows - 1) * stride;
    PENSTOCK_UNROLL
    for (int half = 0; half < 2; ++half) {
      const Wide<std::uint32_t> numbers = block.load(row + 4 * half);
      PENSTOCK_UNROLL
      for (int i = 0; i < 2; ++i) {
        const std::uint32_t four = codes.at[2 * half + i];
        upper[r] = dot_bytes(four, numbers.at[i], upper[r]);
        lower[r] = dot_bytes(four, numbers.at[2 + i], lower[r]);
      }
    }
  }
}

/// Whether a lane's token of a panel may come in a row.
template <BlockOfThreads Block>
PENSTOCK_GPU bool may_come(Block& block, const Choice& c, int row, int panel) {
  if (panel * kWarp + block.lane() >= c.vocab) return false;
  const auto mask_rows = block.global(c.mask_rows, "mask_rows");
  const int mask_row = mask_rows == nullptr ? -1 : mask_rows[row];
  if (mask_row < 0) return true;
  const std::uint32_t bits = block.global(
      c.masks,
      "masks")[std::int64_t{mask_row} * ((c.vocab + kWarp - 1) / kWarp) +
               panel];
  return (bits >> block.lane() & 1U) != 0;
}

/// The most that a lane's token reaches in a row goes to memory, the least is
/// returned; -inf both, where it may not come.
template <BlockOfThreads Block, class Factors>
PENSTOCK_GPU float put_reach(Block& block, const ScreenedParams& p, int row,
                             int panel, int upper, int lower, Factors factors) {
  const int token = panel * kWarp + block.lane();
  const float step = factors[0];
  const float length = factors[1];
  const float scale = block.global(p.codes.scales, "scales")[token] * step;
  const float bound = block.global(p.codes.bounds, "bounds")[token];
  const float score =
      fmaf(256.0F, static_cast<float>(upper), static_cast<float>(lower)) *
      scale;
  const float off = fmaf(bound, length, kScoreSlack);
  // An infinite length times 0 is NaN.
  const bool is_known = score + off < INFINITY;
  const bool may = may_come(block, p.head.choice, row, panel);
  if (token < p.head.choice.vocab) {
    block.global(p.reach,
                 "reach")[std::int64_t{row} * p.head.choice.vocab + token] =
        !may       ? -INFINITY
        : is_known ? score + off
                   : INFINITY;
  }
  return may && is_known ? score - off : -INFINITY;
}

/// A warp's panels; lows are the best that a lane's tokens reach for certain.
template <int kRows, BlockOfThreads Block, class Words, class Factors>
PENSTOCK_GPU void screen_panels(Block& block, const ScreenedParams& p,
                                Words words, Factors factors, int rows,
                                float (&lows)[kRows]) {
  constexpr int kTogether = kRows > 4 ? 4 : 8;  // reads under way
  const PanelShare share(block.x(), p.head.choice);
  const int stride = p.head.in.hidden / 2;
  const int units = p.head.in.hidden / kScreenColumns;
  const auto all = block.global(p.codes.codes, "codes") + block.lane() * 4;
  for (int n = block.warp(); n < share.panels(); n += block.warps()) {
    const int panel = share.panel(n);
    const auto codes = all + std::int64_t{panel} * units * (kWarp * 4);
    int upper[kRows] = {};
    int lower[kRows] = {};
    for (int first = 0; first < units; first += kTogether) {
      Wide<std::uint32_t> read[kTogether];
      PENSTOCK_UNROLL
      for (int i = 0; i < kTogether; ++i) {
        read[i] =
            block.stream(codes + least(first + i, units - 1) * (kWarp * 4));
      }
      PENSTOCK_UNROLL
      for (int i = 0; i < kTogether; ++i) {
        if (first + i < units) {
          add_products<kRows>(block, read[i], words + (first + i) * 8, rows,
                              stride, upper, lower);
        }
      }
    }
    PENSTOCK_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (r < rows) {
        lows[r] = fmaxf(lows[r], put_reach(block, p, r, panel, upper[r],
                                           lower[r], factors + 2 * r));
      }
    }
  }
}

/// The best that a row's tokens of the block reach for certain, by kLows parts
/// of the lanes.
template <int kRows, BlockOfThreads Block, class Parts>
PENSTOCK_GPU void put_lows(Block& block, const ScreenedParams& p, Parts parts,
                           int rows, float (&lows)[kRows]) {
  constexpr int kLanes = kWarp / kLows;
  PENSTOCK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    PENSTOCK_UNROLL
    for (int mask = kLanes / 2; mask > 0; mask /= 2) {
      lows[r] = fmaxf(lows[r], block.shuffle_xor(lows[r], mask));
    }
    if (r < rows && block.lane() % kLanes == 0) {
      parts[(r * kLows + block.lane() / kLanes) * block.warps() +
            block.warp()] = lows[r];
    }
  }
  block.sync();
  if (block.thread() >= rows * kLows) return;
  float most = -INFINITY;
  for (int w = 0; w < block.warps(); ++w) {
    const float each = parts[block.thread() * block.warps() + w];
    most = fmaxf(most, each);
  }
  const int row = block.thread() / kLows;
  const int part = block.thread() % kLows;
  block.global(
      p.lows, "lows")[(row * p.head.choice.blocks + block.x()) * kLows + part] =
      most;
}

template <BlockOfThreads Block>
PENSTOCK_GPU void screen(Block& block, const ScreenedParams& p) {
  const Residual& in = p.head.in;
  const PanelShare share(block.x(), p.head.choice);
  if (block.warp() < share.panels()) {
    // A line a lane of what comes first.
    const int at = least(block.lane() * kWarp, in.hidden * 8 - 4);
    block.prefetch(
        block.global(p.codes.codes, "codes") +
        (std::int64_t{share.panel(block.warp())} * in.hidden * 8 + at));
  }
  block.wait_previous();
  const auto normed =
      block.template shared<Bf16>(kRowTile * in.hidden, "normed");
  const auto factors = block.template shared<float>(2 * kRowTile, "factors");
  const auto parts =
      block.template shared<float>(kRowTile * kLows * block.warps(), "parts");
  norm_tile<Bf16>(block, in, 0, in.rows, block.x() == 0, normed);
  for (int r = block.warp(); r < in.rows; r += block.warps()) {
    code_row(block, p, normed + r * in.hidden, factors + 2 * r);
  }
  block.sync();
  const auto words = block.template reuse<std::uint32_t>(normed, "codes");
  with_rows(in.rows, [&]<int kRows>() {
    float lows[kRows];
    PENSTOCK_UNROLL
    for (float& each : lows) each = -INFINITY;
    screen_panels<kRows>(block, p, words, factors, in.rows, lows);
    put_lows<kRows>(block, p, parts, in.rows, lows);
  });
}

}  // namespace penstock::gemma::cuda
