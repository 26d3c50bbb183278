#include "gemma/weights.h"

#include <ATen/ops/empty.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "penstock/parallel.h"

namespace penstock::gemma {
namespace {

/// Huge pages make the first touch of a gigabyte, and every later read of it,
/// cheaper. Only a wish: nothing depends on it.
void wish_huge_pages(const at::Tensor& tensor) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(tensor.data_ptr());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + tensor.nbytes()) / page * page;
  if (last > first) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to a page
    madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  }
}

class Loader {
 public:
  Loader(const Checkpoint& model, at::ScalarType dtype, at::Device device)
      : model_(model), dtype_(dtype), device_(device) {}

  /// One matrix of the stacked `parts`, each [rows, columns].
  at::Tensor matrix(const std::vector<std::string>& parts,
                    const std::vector<std::int64_t>& rows,
                    std::int64_t columns) const {
    std::int64_t total = 0;
    for (const std::int64_t count : rows) total += count;
    at::Tensor out = at::empty({total, columns}, dtype_);
    wish_huge_pages(out);
    std::int64_t at = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      fill(model_.at(parts[i], {rows[i], columns}), out.narrow(0, at, rows[i]));
      at += rows[i];
    }
    return out.to(device_);
  }

  at::Tensor norm(const std::string& name, std::int64_t size) const {
    const std::vector<float> factors = model_.norm(name, size);
    at::Tensor out = at::empty({size}, at::kFloat);
    std::copy(factors.begin(), factors.end(), out.mutable_data_ptr<float>());
    return out.to(device_);
  }

 private:
  void fill(const WeightTensor& from, const at::Tensor& to) const {
    const std::int64_t columns = from.columns();
    parallel_for(from.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
      const auto count = static_cast<std::size_t>((end - begin) * columns);
      if (dtype_ == at::kFloat) {
        float* out = to.mutable_data_ptr<float>() + begin * columns;
        dequantize(from, begin, end, {out, count});
      } else {
        auto* out = static_cast<std::uint16_t*>(to.mutable_data_ptr());
        dequantize_bf16(from, begin, end, {out + begin * columns, count});
      }
    });
  }

  const Checkpoint& model_;
  at::ScalarType dtype_;
  at::Device device_;
};

LayerWeights load_layer(const Loader& loader, const Config& c,
                        std::int64_t layer) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t kv = c.kv_heads * c.head_dim;
  return {
      .attention_norm = loader.norm(blk + "attn_norm", c.hidden),
      .qkv = loader.matrix({blk + "attn_q", blk + "attn_k", blk + "attn_v"},
                           {q, kv, kv}, c.hidden),
      .q_norm = loader.norm(blk + "attn_q_norm", c.head_dim),
      .k_norm = loader.norm(blk + "attn_k_norm", c.head_dim),
      .attention_out = loader.matrix({blk + "attn_output"}, {c.hidden}, q),
      .post_attention_norm = loader.norm(blk + "post_attention_norm", c.hidden),
      .ffn_norm = loader.norm(blk + "ffn_norm", c.hidden),
      .gate_up = loader.matrix({blk + "ffn_gate", blk + "ffn_up"},
                               {c.ffn, c.ffn}, c.hidden),
      .down = loader.matrix({blk + "ffn_down"}, {c.hidden}, c.ffn),
      .post_ffn_norm = loader.norm(blk + "post_ffw_norm", c.hidden),
  };
}

}  // namespace

std::int64_t weight_bytes(const Config& c, at::ScalarType dtype) {
  const std::int64_t layer =
      c.hidden * c.head_dim * (2 * c.heads + 2 * c.kv_heads) +
      3 * c.hidden * c.ffn;
  const std::int64_t tables = c.is_tied ? 1 : 2;
  const std::int64_t numbers = tables * c.vocab * c.hidden + c.layers * layer;
  return numbers * static_cast<std::int64_t>(at::elementSize(dtype));
}

Weights load_weights(const Checkpoint& model, at::ScalarType dtype,
                     at::Device device) {
  const Config& config = model.config();
  const Loader loader(model, dtype, device);
  Weights weights;
  weights.embedding =
      loader.matrix({"token_embd"}, {config.vocab}, config.hidden);
  weights.output =
      config.is_tied ? weights.embedding
                     : loader.matrix({"output"}, {config.vocab}, config.hidden);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    weights.layers.push_back(load_layer(loader, config, i));
  }
  weights.norm = loader.norm("output_norm", config.hidden);
  return weights;
}

}  // namespace penstock::gemma
