// Launches: a step as one kernel, from what its launches would be given.
#include <memory>

#include "gemma/cuda/launches.h"
#include "gemma/cuda/launches_layer.h"

namespace penstock::gemma::cuda {

/// As run_layer() launches them.
StepLayer Launches::step_layer(const Rows& step, const Layer& layer,
                               Pending& at) const {
  Residual in = residual(at, layer.weights.attention_norm);
  if (at.y != nullptr) at.x = in.x_out = spare(at.x);
  StepLayer out{
      .qkv = qkv_params(step, layer, in),
      .attention = attention_params(step, layer, step.rows, nullptr),
      .gate_up = {},
      .product = {out_params(layer, step.rows), down_params(layer, step.rows)}};
  at.y = buffers_.y.as<float>();
  at.post = layer.weights.post_attention_norm;
  in = residual(at, layer.weights.ffn_norm);
  at.x = in.x_out = spare(at.x);
  out.gate_up = gate_up_params(layer, in);
  at.post = layer.weights.post_ffn_norm;
  return out;
}

void Launches::step(const Rows& rows, const HeadWants& wants,
                    const Answers& to) const {
  const auto params = std::make_unique<StepParams>();
  params->ends.embed = embed_params(rows);
  Pending at{.x = buffers_.x[0].as<float>(), .rows = rows.rows};
  std::array<std::int64_t, kKinds> of_kind{};
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    params->layer[i] = step_layer(rows, layer_at(i, of_kind), at);
  }
  const Choice what =
      choice(0, wants, to, rows.tables, step_tasks_for(config_, limits_));
  params->ends.head = {.in = residual(at, model_.norm()),
                       .weight = model_.output(),
                       .choice = what};
  params->ends.select = select_params(what, wants, to, rows.rows);
  params->counters = buffers_.step_counters.as<std::uint32_t>();
  params->plan = plan_of(*params, i32(config_.layers));
  launch(kernels_.step, geometry(*params, limits_.type, limits_.step_blocks),
         *params);
}

}  // namespace penstock::gemma::cuda
