#include "core/vector.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>

#include "core/each_item.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

constexpr const char* kHidden = "hidden";

/// The first numbers of a row as a vector of its own, f32.
at::Tensor vector_of(const at::Tensor& row, const Vector::Params& chosen) {
  if (!row.isfinite().all().item<bool>()) {
    throw ForwardFault("the model's hidden states are not finite");
  }
  if (chosen.dimensions > row.numel()) {
    throw Error(Code::kData,
                str("dimensions is ", chosen.dimensions,
                    ", but the model's vectors have ", row.numel()));
  }
  const std::int64_t count =
      chosen.dimensions > 0 ? chosen.dimensions : row.numel();
  const auto kept = row.narrow(0, 0, count);
  const auto norm = at::linalg_vector_norm(kept).item<double>();
  const bool is_divided = chosen.normalize && norm > 0;
  return (is_divided ? kept / norm : kept).to(at::kFloat, false, true);
}

}  // namespace

void Vector::declare(Declaration<Vector>& d) {
  d.doc("One vector for an item, of the states that an encoder gives for it")
      .input("hidden: f32[B,T,D]")
      .output("embedding: f32[D]")
      .light();
  d.param("pool", &Params::pool,
          "mean: average the states that count; cls: take the first, as models "
          "with a [CLS] token mean it; none: the model gives a vector")
      .choices({"mean", "cls", "none"});
  d.param("mask", &Params::mask,
          "of mean: the model's input that says which states count, not 0; "
          "where there is none of that name all do");
  d.param("dimensions", &Params::dimensions,
          "keep so many first numbers, for models that were trained for it; "
          "0: all")
      .range(0, 1 << 20)
      .per_request();
  d.param("normalize", &Params::normalize, "divide the vector by its L2 norm")
      .per_request();
}

Ports Vector::describe(const Params& params) {
  Ports ports;
  ports.inputs.push_back(parse_port(
      params.pool == "none" ? "hidden: f32[B,D]" : "hidden: f32[B,T,D]"));
  ports.outputs.push_back(parse_port("embedding: f32[D]"));
  return ports;
}

at::Tensor Vector::mean(const Step& step, const at::Tensor& hidden) const {
  const at::Tensor* mask = find(step.inputs, params_.mask);
  if (mask == nullptr) return hidden.mean(1, false, at::kDouble);
  if (mask->dim() != 2 || mask->size(1) != hidden.size(1)) {
    throw Error(Code::kData,
                str("'", params_.mask, "' has ", mask->size(-1),
                    " places for an item, the model's states ", hidden.size(1),
                    "; name the right one with decode.mask, or none"));
  }
  const auto counts = mask->to(hidden.device()).ne(0);
  // What padding makes may be no number, and then 0 times it is none either.
  const auto kept =
      at::where(counts.unsqueeze(-1), hidden.to(at::kDouble), 0.0);
  const auto number = counts.sum(1, /*keepdim=*/true).clamp_min(1);
  return kept.sum(1) / number;
}

Result Vector::pick(const Step& step, Result result) {
  const SerialOps serial;  // few numbers
  const at::Tensor& hidden = get(result.out, kHidden);
  const std::int64_t dims = params_.pool == "none" ? 2 : 3;
  if (hidden.dim() != dims) {
    throw Error(
        Code::kData,
        str("'", kHidden, "' has ", hidden.dim(),
            " dims with the batch's, expected ", dims,
            dims == 3 ? "; of a model that gives a vector set pool: none"
                      : ""));
  }
  if (params_.pool == "none") {
    Result as_is;
    as_is.out = {{kHidden, hidden.to(at::kDouble)}};
    return as_is;
  }
  if (hidden.size(1) == 0) {
    throw ForwardFault("the model gives no states for an item");
  }
  Result out;
  out.out = {{kHidden, params_.pool == "cls"
                           ? hidden.select(1, 0).to(at::kDouble)
                           : mean(step, hidden)}};
  return out;
}

void Vector::decode(const Step& step, const Result& picked,
                    std::vector<Next>& out) {
  const SerialOps serial;
  const auto rows = get(picked.out, kHidden).cpu();
  each_item(step, out, [&](std::int64_t i, const Item& item) {
    Decoded made;
    made.tensors = {{tensors::kEmbedding,
                     vector_of(rows[i], params<Params>(*this, *item.request))}};
    return made;
  });
}

}  // namespace penstock::core
