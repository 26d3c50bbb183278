#include "gemma/cuda/device_model.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "gemma/cuda/packing.h"
#include "gemma/cuda/screen_codes.h"
#include "gemma/rope.h"
#include "penstock/error.h"
#include "penstock/parallel.h"

namespace penstock::gemma::cuda {
namespace {

/// What tensors begin on; kernels want 16.
constexpr std::int64_t kAlign = 256;
/// Half of the pinned memory that weights pass through: one half is filled
/// while the other is copied.
constexpr std::int64_t kHalf = 8 << 20;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

/// A matrix of the model: tensors of as many columns, one below the other.
struct Stack {
  std::vector<std::string> names;
  std::vector<std::int64_t> rows;
  std::int64_t columns = 0;
};

Stack embedding_of(const Config& c) {
  return {{"token_embd"}, {c.vocab}, c.hidden};
}
Stack output_of(const Config& c) { return {{"output"}, {c.vocab}, c.hidden}; }

/// Of a layer, in the order of DeviceLayer.
std::array<Stack, 4> stacks_of(const Config& c, std::int64_t layer) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t kv = c.kv_heads * c.head_dim;
  return {{{{blk + "attn_q", blk + "attn_k", blk + "attn_v"},
            {q, kv, kv},
            c.hidden},
           {{blk + "attn_output"}, {c.hidden}, q},
           {{blk + "ffn_gate", blk + "ffn_up"}, {c.ffn, c.ffn}, c.hidden},
           {{blk + "ffn_down"}, {c.hidden}, c.ffn}}};
}

std::vector<const WeightTensor*> parts_of(const Checkpoint& model,
                                          const Stack& stack) {
  std::vector<const WeightTensor*> parts;
  for (std::size_t i = 0; i < stack.names.size(); ++i) {
    parts.push_back(&model.at(stack.names[i], {stack.rows[i], stack.columns}));
  }
  return parts;
}

std::int64_t stack_bytes(const Checkpoint& model, const Stack& stack,
                         const WeightChoice& choice) {
  return plan_matrix(parts_of(model, stack), choice.type, choice.keeps_codes)
      .bytes();
}

std::int64_t matrix_bytes(const Checkpoint& model, const WeightChoice& choice) {
  const Config& c = model.config();
  std::int64_t total = stack_bytes(model, embedding_of(c), choice);
  if (!c.is_tied) total += stack_bytes(model, output_of(c), choice);
  for (std::int64_t i = 0; i < c.layers; ++i) {
    for (const Stack& stack : stacks_of(c, i)) {
      total += stack_bytes(model, stack, choice);
    }
  }
  return total;
}

/// Bytes of the head's codes; 0: not chosen.
std::int64_t screen_bytes(const Config& c, const WeightChoice& choice) {
  const ScreenPlan plan{.rows = c.vocab, .columns = c.hidden};
  return choice.screens ? plan.bytes() : 0;
}

gpu::Memory some_memory(gpu::DeviceApi& api, std::int64_t bytes) {
  return bytes == 0 ? gpu::Memory()
                    : gpu::Memory(api, static_cast<std::size_t>(bytes));
}

std::int64_t float_bytes(const Config& c) {
  const std::int64_t wide = aligned(c.hidden * 4);
  const std::int64_t narrow = aligned(c.head_dim * 4);
  return c.layers * (4 * wide + 2 * narrow) + wide +
         2 * aligned(c.head_dim / 2 * 4);
}

}  // namespace

/// Places tensors one behind the other and copies them there.
class DeviceModel::Loader {
 public:
  Loader(gpu::DeviceApi& api, const Checkpoint& model,
         const WeightChoice& choice, DeviceModel& to)
      : api_(api),
        model_(model),
        choice_(choice),
        staging_(api, static_cast<std::size_t>(2 * kHalf)),
        matrix_(to.matrices_.as()),
        float_(to.floats_.as()) {}

  Matrix matrix(const Stack& stack) {
    const auto parts = parts_of(model_, stack);
    const MatrixPlan plan =
        plan_matrix(parts, choice_.type, choice_.keeps_codes);
    std::byte* const begin = matrix_;
    std::int64_t row = 0;
    for (const WeightTensor* part : parts) {
      send(plan, *part, row);
      row += part->rows();
    }
    matrix_ = begin + plan.bytes();
    return plan.matrix(begin);
  }

  /// The codes of the output, at `begin`, as many panels at a time as half of
  /// the pinned memory holds.
  ScreenCodes screen(std::byte* begin) {
    const Config& c = model_.config();
    const WeightTensor& from = *parts_of(model_, output_of(c)).front();
    const ScreenPlan plan{.rows = c.vocab, .columns = c.hidden};
    const std::int64_t most = std::max<std::int64_t>(
        1, kHalf / (plan.panel_bytes() + 8 * kPanelRows));
    float longest = 0;
    for (std::int64_t at = 0; at < plan.panels(); at += most) {
      const std::int64_t count = std::min(most, plan.panels() - at);
      const std::int64_t floats = count * kPanelRows;
      const ScreenedPanels to{
          .codes = half(),
          .scales =
              reinterpret_cast<float*>(half() + count * plan.panel_bytes()),
          .bounds =
              reinterpret_cast<float*>(half() + count * plan.panel_bytes()) +
              floats};
      longest = std::max(longest, code(plan, from, at, count, to));
      wait_for_other_half();
      copy(begin + at * plan.panel_bytes(), to.codes,
           count * plan.panel_bytes());
      const std::int64_t first = at * kPanelRows * 4;
      copy(begin + plan.scales_at() + first, to.scales, floats * 4);
      copy(begin + plan.bounds_at() + first, to.bounds, floats * 4);
    }
    return plan.codes(begin, longest);
  }

  const float* norm(const std::string& name, std::int64_t size,
                    double factor = 1) {
    std::vector<float> numbers = model_.norm(name, size);
    for (float& number : numbers) number *= static_cast<float>(factor);
    return floats(numbers);
  }

  const float* floats(const std::vector<float>& numbers) {
    const auto bytes = static_cast<std::int64_t>(numbers.size() * 4);
    std::byte* const from = half();
    std::memcpy(from, numbers.data(), static_cast<std::size_t>(bytes));
    const auto* const begin = reinterpret_cast<const float*>(float_);
    wait_for_other_half();
    copy(float_, from, bytes);
    float_ += aligned(bytes);
    return begin;
  }

 private:
  /// Rows of the matrix from `row` on, as many at a time as half of the pinned
  /// memory holds with their scales.
  void send(const MatrixPlan& plan, const WeightTensor& from,
            std::int64_t row) {
    const std::int64_t scales = plan.groups() * 2;
    const std::int64_t each = plan.row_bytes() + 2 * scales;
    const std::int64_t most = kHalf / each;
    if (most == 0) {
      throw Error(Code::kData, str("a row of '", from.name, "' has ", each,
                                   " bytes, more than ", kHalf));
    }
    for (std::int64_t at = 0; at < from.rows(); at += most) {
      const std::int64_t count = std::min(most, from.rows() - at);
      const PackedRows to = room(plan, count);
      convert(plan, from, at, count, to);
      wait_for_other_half();
      copy(matrix_ + (row + at) * plan.row_bytes(), to.numbers,
           count * plan.row_bytes());
      if (plan.is_coded()) {
        copy(matrix_ + plan.scales_at() + (row + at) * scales, to.scales,
             count * scales);
      }
      if (plan.has_minimums) {
        copy(matrix_ + plan.minimums_at() + (row + at) * scales, to.minimums,
             count * scales);
      }
    }
  }

  /// In the half that is free, for so many rows.
  [[nodiscard]] PackedRows room(const MatrixPlan& plan,
                                std::int64_t count) const {
    const std::int64_t scales = count * plan.groups() * 2;
    std::byte* const second = half() + count * plan.row_bytes();
    return {.numbers = half(),
            .scales = reinterpret_cast<std::uint16_t*>(second),
            .minimums = reinterpret_cast<std::uint16_t*>(second + scales)};
  }

  static void convert(const MatrixPlan& plan, const WeightTensor& from,
                      std::int64_t first, std::int64_t count,
                      const PackedRows& to) {
    parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
      pack_rows(plan, from, first + begin, first + end,
                {.numbers = to.numbers + begin * plan.row_bytes(),
                 .scales = to.scales + begin * plan.groups(),
                 .minimums = to.minimums + begin * plan.groups()});
    });
  }

  /// Returns the length of the longest row.
  static float code(const ScreenPlan& plan, const WeightTensor& from,
                    std::int64_t first, std::int64_t count,
                    const ScreenedPanels& to) {
    std::vector<float> longest(static_cast<std::size_t>(count));
    parallel_for(count, 4, [&](std::int64_t begin, std::int64_t end) {
      longest[static_cast<std::size_t>(begin)] =
          screen_panels(plan, from, first + begin, first + end,
                        {.codes = to.codes + begin * plan.panel_bytes(),
                         .scales = to.scales + begin * kPanelRows,
                         .bounds = to.bounds + begin * kPanelRows});
    });
    return *std::max_element(longest.begin(), longest.end());
  }

  [[nodiscard]] std::byte* half() const {
    return staging_.as(is_second_ ? kHalf : 0);
  }
  /// The half that was filled is to be copied, the other one to be filled.
  void wait_for_other_half() {
    api_.wait();
    is_second_ = !is_second_;
  }
  void copy(void* to, const void* from, std::int64_t bytes) {
    api_.copy_in(to, from, static_cast<std::size_t>(bytes));
  }

  gpu::DeviceApi& api_;
  const Checkpoint& model_;
  WeightChoice choice_;
  gpu::Pinned staging_;
  bool is_second_ = false;
  std::byte* matrix_;
  std::byte* float_;
};

DeviceModel::DeviceModel(gpu::DeviceApi& api, const Checkpoint& model,
                         const WeightChoice& choice)
    : matrices_(api, static_cast<std::size_t>(matrix_bytes(model, choice))),
      floats_(api, static_cast<std::size_t>(float_bytes(model.config()))),
      codes_(some_memory(api, screen_bytes(model.config(), choice))) {
  const Config& c = model.config();
  Loader loader(api, model, choice, *this);
  embedding_ = loader.matrix(embedding_of(c));
  output_ = c.is_tied ? embedding_ : loader.matrix(output_of(c));
  if (choice.screens) screen_ = loader.screen(codes_.as());
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string blk = "blk." + std::to_string(i) + ".";
    const auto stacks = stacks_of(c, i);
    layers_.push_back({
        .qkv = loader.matrix(stacks[0]),
        .out = loader.matrix(stacks[1]),
        .gate_up = loader.matrix(stacks[2]),
        .down = loader.matrix(stacks[3]),
        .attention_norm = loader.norm(blk + "attn_norm", c.hidden),
        .q_norm =
            loader.norm(blk + "attn_q_norm", c.head_dim, c.attention_scale),
        .k_norm = loader.norm(blk + "attn_k_norm", c.head_dim),
        .post_attention_norm =
            loader.norm(blk + "post_attention_norm", c.hidden),
        .ffn_norm = loader.norm(blk + "ffn_norm", c.hidden),
        .post_ffn_norm = loader.norm(blk + "post_ffw_norm", c.hidden),
    });
  }
  norm_ = loader.norm("output_norm", c.hidden);
  full_ = loader.floats(rope_frequencies(c, c.rope_base, c.rope_scale));
  local_ = loader.floats(rope_frequencies(c, c.rope_base_local, 1));
  api.wait();
}

bool DeviceModel::has_coded_head(const Checkpoint& model,
                                 const WeightChoice& choice) {
  const auto parts = parts_of(model, output_of(model.config()));
  return plan_matrix(parts, choice.type, choice.keeps_codes).is_coded();
}

std::int64_t DeviceModel::bytes(const Checkpoint& model,
                                const WeightChoice& choice) {
  return matrix_bytes(model, choice) + float_bytes(model.config()) +
         screen_bytes(model.config(), choice);
}

}  // namespace penstock::gemma::cuda
