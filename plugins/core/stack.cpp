#include "core/stack.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/plan_sequences.h"
#include "penstock/parallel.h"

namespace penstock::core {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::string out;
  for (const std::int64_t size : tensor.sizes()) {
    out += (out.empty() ? "" : "x") + std::to_string(size);
  }
  return out;
}

/// The largest of each dim, or the smallest.
std::vector<std::int64_t> common_shape(const std::vector<at::Tensor>& rows,
                                       bool is_largest) {
  std::vector<std::int64_t> shape = rows.front().sizes().vec();
  for (const at::Tensor& row : rows) {
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const std::int64_t size = row.size(static_cast<std::int64_t>(d));
      shape[d] =
          is_largest ? std::max(shape[d], size) : std::min(shape[d], size);
    }
  }
  return shape;
}

/// The part of `tensor` that `shape` covers: from the start, or its centre.
at::Tensor part(at::Tensor tensor, const std::vector<std::int64_t>& shape,
                bool is_centred) {
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto dim = static_cast<std::int64_t>(d);
    const std::int64_t spare = tensor.size(dim) - shape[d];
    tensor = tensor.narrow(dim, is_centred ? spare / 2 : 0, shape[d]);
  }
  return tensor;
}

}  // namespace

void Stack::declare(Declaration<Stack>& d) {
  d.doc("Batches of whole tensors, for models that answer in one step")
      .layouts({Layout::kStacked})
      .light();
  declare_room(d, "most items in one batch",
               "milliseconds that the first item waits for others");
  d.param(
       "fit", &Params::fit,
       "inputs of different shapes: same refuses them, pad enlarges the "
       "smaller ones and adds a mask, crop keeps the centre of the larger ones")
      .choices({"same", "pad", "crop"});
  d.param("pad_value", &Params::pad_value,
          "number that padding is filled with");
}

Plan Stack::plan(const Offer& offer) {
  // A model that takes several steps keeps its rows together.
  return plan_sequences(offer, {.max_sequences = max_sequences(),
                                .max_wait_ms = params_.max_wait_ms,
                                .joins = false});
}

/// Of one shape. One row is not copied.
at::Tensor Stack::stacked(const std::vector<at::Tensor>& rows) const {
  const at::Tensor& first = rows.front();
  if (rows.size() == 1) return first.contiguous().unsqueeze(0);
  if (!first.is_cpu()) return at::stack(rows);
  std::vector<std::int64_t> shape = first.sizes().vec();
  shape.insert(shape.begin(), static_cast<std::int64_t>(rows.size()));
  at::Tensor out = memory_.empty(shape, first.scalar_type());
  return at::stack_out(out, rows);
}

void Stack::add(Tensors& out, const std::string& name,
                const std::vector<at::Tensor>& rows) const {
  const bool is_one_shape =
      std::all_of(rows.begin(), rows.end(), [&](const at::Tensor& row) {
        return row.sizes() == rows.front().sizes();
      });
  if (is_one_shape) {
    out.emplace_back(name, stacked(rows));
    return;
  }
  const bool has_one_rank = std::all_of(
      rows.begin(), rows.end(),
      [&](const at::Tensor& row) { return row.dim() == rows.front().dim(); });
  if (params_.fit == "same" || !has_one_rank) {
    throw Error(Code::kData,
                str("'", name, "' is ", shape_text(rows.front()),
                    " in one row and of another shape in the next; let "
                    "preprocess make one size, or set batch.fit to pad or "
                    "crop"));
  }
  if (params_.fit == "pad") {
    add_padded(out, name, rows);
    return;
  }
  const auto shape = common_shape(rows, /*is_padded=*/false);
  std::vector<at::Tensor> parts;
  parts.reserve(rows.size());
  for (const at::Tensor& row : rows) parts.push_back(part(row, shape, true));
  out.emplace_back(name, stacked(parts));
}

void Stack::add_padded(Tensors& out, const std::string& name,
                       const std::vector<at::Tensor>& rows) const {
  auto shape = common_shape(rows, /*is_padded=*/true);
  shape.insert(shape.begin(), static_cast<std::int64_t>(rows.size()));
  const auto padded =
      at::full(shape, params_.pad_value, rows.front().options());
  std::vector<std::int64_t> mask_shape = shape;
  mask_shape.erase(mask_shape.begin() + 1);
  const auto mask = at::zeros(mask_shape, at::kByte);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const auto own = rows[i].sizes().vec();
    part(padded[at], own, false).copy_(rows[i]);
    part(mask[at], {own.begin() + 1, own.end()}, false).fill_(1);
  }
  out.emplace_back(name, padded);
  out.emplace_back(name + "_mask", mask);
}

Tensors Stack::collate(std::span<const Slice> slices) {
  // A copy costs less than waking a team that other threads keep waiting.
  const SerialOps serial;
  Tensors out;
  for (const auto& [name, first] : slices.front().sequence->item->inputs) {
    std::vector<at::Tensor> rows;
    rows.reserve(slices.size());
    for (const Slice& slice : slices) {
      rows.push_back(get(slice.sequence->item->inputs, name));
    }
    add(out, name, rows);
  }
  return out;
}

}  // namespace penstock::core
