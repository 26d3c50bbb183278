#include "pipeline_run/compare/records.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "pipeline_run/inspect/stage_json.h"

namespace penstock::run {
namespace {

/// On the CPU and its own: an engine may write over what it shows.
at::Tensor kept(const at::Tensor& tensor) {
  return tensor.to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false,
                   /*copy=*/true);
}

}  // namespace

std::string Records::step_text(const char* stage) const {
  return str(stage, ", step ", steps_);
}

void Records::add(const std::string& where, const std::string& name,
                  const at::Tensor& tensor) {
  if (tensor.defined()) records_.push_back({where, name, kept(tensor)});
}

void Records::item(const Request& /*request*/, const Item& item) {
  const std::scoped_lock lock(mutex_);
  const std::string where = str("preprocess, item ", item.index);
  if (!item.tokens.empty()) add(where, "tokens", at::tensor(item.tokens));
  for (const auto& [name, tensor] : item.inputs) add(where, name, tensor);
}

void Records::tensor(std::string_view name, const at::Tensor& value) {
  const std::scoped_lock lock(mutex_);
  const auto found =
      std::find_if(shown_.begin(), shown_.end(),
                   [&](const auto& each) { return each.first == name; });
  auto& pieces =
      found == shown_.end()
          ? shown_.emplace_back(name, std::vector<at::Tensor>()).second
          : found->second;
  pieces.push_back(kept(value));
}

void Records::step(const Step& step, const Result& result) {
  const std::scoped_lock lock(mutex_);
  const std::string batch = step_text("batch");
  Tokens slices;
  for (const Slice& slice : step.slices) {
    slices.push_back(slice.begin);
    slices.push_back(slice.count);
  }
  add(batch, "slices", at::tensor(slices));
  for (const auto& [name, tensor] : step.inputs) add(batch, name, tensor);
  const std::string forward = step_text("forward");
  for (const auto& [name, pieces] : std::exchange(shown_, {})) {
    add(forward, name, pieces.size() == 1 ? pieces[0] : at::cat(pieces));
  }
  for (const auto& [name, tensor] : result.out) add(forward, name, tensor);
  for (const auto& [name, tensor] : named_scores(result.scores)) {
    add(forward, name, tensor);
  }
  ++steps_;
}

void Records::decoded(const Request& /*request*/, const Decoded& decoded) {
  const std::scoped_lock lock(mutex_);
  const std::string where =
      str("decode, step ", std::max<std::int64_t>(0, steps_ - 1));
  if (!decoded.tokens.empty()) add(where, "tokens", at::tensor(decoded.tokens));
  for (const auto& [name, tensor] : decoded.tensors) add(where, name, tensor);
}

void Records::piece(const Request& /*request*/, const Value& value, int branch,
                    bool /*is_final*/) {
  const std::scoped_lock lock(mutex_);
  const std::string where = str("postprocess, branch ", branch);
  if (const auto* text = std::get_if<std::string>(&value)) {
    texts_[branch] += *text;
  } else if (const auto* tensors = std::get_if<Tensors>(&value)) {
    for (const auto& [name, tensor] : *tensors) {
      results_.push_back({where, name, kept(tensor)});
    }
  } else {
    results_.push_back({where, "value", {}, line_of(value_json(value))});
  }
}

void Records::done(const Request& /*request*/, const Report& report) {
  const std::scoped_lock lock(mutex_);
  error_ = report.error;
}

Records::Seen Records::take() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [branch, text] : std::exchange(texts_, {})) {
    results_.push_back({str("postprocess, branch ", branch), "text", {}, text});
  }
  Seen seen{.records = std::exchange(records_, {}),
            .error = std::exchange(error_, std::nullopt)};
  for (Record& each : std::exchange(results_, {})) {
    seen.records.push_back(std::move(each));
  }
  shown_.clear();
  steps_ = 0;
  return seen;
}

}  // namespace penstock::run
