// CudaEngine: from what the device computed to scores and states.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gemma/cuda/engine.h"
#include "gemma/cuda/turn.h"

namespace penstock::gemma::cuda {
namespace {

/// x + norm(y) * post, in place; y may be null.
void add_normed(std::span<float> x, const float* y, std::span<const float> post,
                double epsilon) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += static_cast<double>(y[i]) * static_cast<double>(y[i]);
  }
  const auto scale = static_cast<float>(
      1 / std::sqrt(sum / static_cast<double>(x.size()) + epsilon));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i] * scale * post[i];
}

}  // namespace

void CudaEngine::score(Turn& turn, const Pass& pass, const Pending& residual,
                       const StepTables& tables) {
  for (std::int32_t first = 0; first < pass.scores();
       first += limits_.head_rows) {
    const std::int32_t count =
        std::min(limits_.head_rows, pass.scores() - first);
    const auto positions = turn.scored(pass, first, count);
    if (turn.wants.masks) {
      put_masks(positions);
      send_masks(count);
    }
    const AnswerLayout layout(turn.wants, count, /*is_drawn=*/false);
    launches_.head(residual, first, count, turn.wants,
                   {buffers_.answers[0], layout}, tables);
    if (turn.wants.whole) {
      // What the kernels do not find (every score, more than kMostBest best
      // ones or kMostWanted single ones) is found by the host.
      append(turn.scores, fill_scores(fetch_scores(count), turn.step,
                                      pass.first_scored + first));
      continue;
    }
    api_->copy_out(buffers_.answers_host[0].as(), buffers_.answers[0].as(),
                   static_cast<std::size_t>(layout.bytes));
    api_->wait();
    append(turn.scores,
           read_answers(buffers_.answers_host[0].as(), layout, turn.wants,
                        positions, places_of(positions)));
  }
}

at::Tensor CudaEngine::fetch_scores(std::int32_t count) {
  at::Tensor all = at::empty({count, config_.vocab}, at::kFloat);
  for (std::int32_t at = 0; at < count; at += kFetchedRows) {
    const auto offset = static_cast<std::size_t>(at * config_.vocab);
    const auto numbers = static_cast<std::size_t>(
        std::min(kFetchedRows, count - at) * config_.vocab);
    api_->copy_out(buffers_.fetched.as(), buffers_.scores.as<float>() + offset,
                   numbers * sizeof(float));
    api_->wait();
    std::copy_n(buffers_.fetched.as<float>(), numbers,
                all.mutable_data_ptr<float>() + offset);
  }
  return all;
}

/// Residuals on the host, f32 [rows, hidden], with what was pending added by
/// the host: no kernel need do that for the few who look.
void CudaEngine::fetch(const Pending& residual, std::span<const float> post,
                       float* out) {
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  for (std::int32_t at = 0; at < residual.rows; at += kFetchedRows) {
    const auto rows =
        static_cast<std::size_t>(std::min(kFetchedRows, residual.rows - at));
    const std::size_t offset = static_cast<std::size_t>(at) * hidden;
    const std::size_t bytes = rows * hidden * sizeof(float);
    float* const x = buffers_.fetched.as<float>();
    const float* const y = x + rows * hidden;
    api_->copy_out(x, residual.x + offset, bytes);
    if (residual.y != nullptr) {
      api_->copy_out(x + rows * hidden, residual.y + offset, bytes);
    }
    api_->wait();
    for (std::size_t row = 0; row < rows && residual.y != nullptr; ++row) {
      add_normed({x + row * hidden, hidden}, y + row * hidden, post,
                 config_.norm_epsilon);
    }
    std::copy_n(x, rows * hidden, out + offset);
  }
}

void CudaEngine::fetch_hidden(const Pending& residual, float* out) {
  fetch(residual, post_norms_.back(), out);
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  std::vector<float> row(hidden);
  for (std::int32_t i = 0; i < residual.rows; ++i) {
    float* const x = out + static_cast<std::size_t>(i) * hidden;
    std::fill(row.begin(), row.end(), 0.0F);
    add_normed(row, x, norm_, config_.norm_epsilon);
    std::copy(row.begin(), row.end(), x);
  }
}

/// Shows a probe what the reference engine shows it; nothing without one.
Launches::Show CudaEngine::shower(Probe* probe) {
  if (probe == nullptr) return {};
  return [this, probe](std::int64_t layer, const Pending& out) {
    const at::Tensor all = at::empty({out.rows, config_.hidden}, at::kFloat);
    const auto post = layer < 0
                          ? std::span<const float>()
                          : std::span<const float>(
                                post_norms_[static_cast<std::size_t>(layer)]);
    fetch(out, post, all.mutable_data_ptr<float>());
    probe->tensor(layer < 0 ? "embeddings" : str("layer.", layer), all);
  };
}

}  // namespace penstock::gemma::cuda
