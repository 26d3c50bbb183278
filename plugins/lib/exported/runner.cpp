#include "lib/exported/runner.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "penstock/dtype.h"
#include "penstock/error.h"

namespace penstock::exported {
namespace {

using From = ModelInput::From;

/// What the pipeline or the sequence's last step gives for an input.
const at::Tensor& given(const Tensors& inputs, const ModelInput& input) {
  return get(inputs, input.port.name);
}

/// One tensor of the rows' answers.
at::Tensor stacked(const std::vector<at::Tensor>& rows, std::int64_t dim,
                   const ModelOutput& output) {
  for (const at::Tensor& row : rows) {
    if (row.sizes() == rows.front().sizes()) continue;
    throw Error(Code::kData, str("output '", output.port.name, "' is ",
                                 tensor_type(rows.front()), " for one row and ",
                                 tensor_type(row),
                                 " for another, which is no batch; set "
                                 "batch.max_sequences: 1"));
  }
  if (rows.size() == 1) return rows.front().unsqueeze(dim);
  return at::stack(rows, dim);
}

using Parts = std::vector<std::vector<at::Tensor>>;

/// One tensor of each output that the pipeline gets.
template <class Join>
std::vector<at::Tensor> joined(Parts parts, const ModelPorts& ports,
                               const Join& join) {
  std::vector<at::Tensor> out(ports.outputs.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!ports.outputs[i].is_given) continue;
    std::vector<at::Tensor> rows;
    rows.reserve(parts.size());
    for (auto& part : parts) rows.push_back(std::move(part[i]));
    out[i] = join(rows, ports.outputs[i]);
  }
  return out;
}

/// Rows, or steps, of every output as one tensor each.
std::vector<at::Tensor> joined(Parts parts, std::int64_t dim,
                               const ModelPorts& ports) {
  return joined(std::move(parts), ports,
                [dim](const auto& rows, const ModelOutput& output) {
                  return stacked(rows, dim, output);
                });
}

std::int64_t rows_of(const Step& step) {
  return static_cast<std::int64_t>(step.slices.size());
}

const Sequence& sequence_of(const Step& step, std::int64_t row) {
  return *step.slices.at(static_cast<std::size_t>(row)).sequence;
}

/// Throws where the output has no row for each.
void check_rows(const ModelOutput& output, const at::Tensor& tensor,
                std::int64_t rows) {
  if (tensor.dim() > 0 && tensor.size(0) == rows) return;
  throw Error(Code::kData,
              str("output '", output.port.name, "' is ", tensor_type(tensor),
                  " for ", rows, " rows: its first dim is not theirs; ",
                  rows > 1 ? "set rows: one" : "set rows: none"));
}

/// A number that Decode gives as f32 for an input of whole ones is rounded.
at::Tensor as_dtype(const at::Tensor& tensor, const ModelInput& input) {
  const auto dtype = scalar_type_of(input.port.dtype);
  if (!dtype || tensor.scalar_type() == *dtype) return tensor;
  const bool is_whole = !c10::isFloatingType(*dtype);
  const bool is_real = tensor.is_floating_point();
  return (is_whole && is_real ? tensor.round() : tensor).to(*dtype);
}

}  // namespace

Runner::Runner(ModelHead head, ModelPorts ports, int slots, Model model)
    : head_(std::move(head)),
      file_(head_.path.string()),
      ports_(std::move(ports)),
      binder_(file_, ports_, head_.ranges),
      model_(std::move(model)) {
  const bool has_state = std::any_of(
      ports_.inputs.begin(), ports_.inputs.end(),
      [](const ModelInput& input) { return input.from == From::kState; });
  if (!has_state) return;
  states_.assign(static_cast<std::size_t>(slots), State(ports_.inputs.size()));
}

void Runner::release(int slot) noexcept {
  for (at::Tensor& tensor : states_[static_cast<std::size_t>(slot)]) {
    tensor.reset();
  }
}

void Runner::check_set(const Sequence& sequence) const {
  for (const auto& [name, tensor] : sequence.inputs) {
    const auto is_it = [&, &key = name](const ModelInput& input) {
      return input.from == From::kItem && input.port.name == key;
    };
    if (std::any_of(ports_.inputs.begin(), ports_.inputs.end(), is_it))
      continue;
    throw Error(Code::kData,
                str("decode gives '", name, "' for the next step, and ", file_,
                    " has no such input; give one that name with names"));
  }
}

/// The step's, with those that Decode set for a row in place of the row's own.
Tensors Runner::inputs_of(const Step& step) const {
  Tensors out = step.inputs;
  for (std::int64_t i = 0; i < rows_of(step); ++i) {
    check_set(sequence_of(step, i));
  }
  for (const ModelInput& input : ports_.inputs) {
    if (input.from != From::kItem) continue;
    std::vector<at::Tensor> rows;
    for (std::int64_t i = 0; i < rows_of(step); ++i) {
      const at::Tensor* own =
          find(sequence_of(step, i).inputs, input.port.name);
      if (own == nullptr) continue;
      if (rows.empty()) rows = given(step.inputs, input).unbind();
      rows[static_cast<std::size_t>(i)] = as_dtype(*own, input);
    }
    if (rows.empty()) continue;
    const auto at = std::find_if(out.begin(), out.end(), [&](const auto& each) {
      return each.first == input.port.name;
    });
    if (at != out.end()) at->second = at::stack(rows);
  }
  return out;
}

Runner::State* Runner::state_of(const Step& step, std::int64_t row) {
  if (states_.empty()) return nullptr;
  return &states_.at(static_cast<std::size_t>(sequence_of(step, row).slot));
}

at::Tensor Runner::states_for(const Step& step, const ModelInput& input,
                              const Span& rows) {
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < rows.count; ++i) {
    parts.push_back((*state_of(step, rows.first + i))[place_of(input)]);
  }
  const auto known =
      std::find_if(parts.begin(), parts.end(),
                   [](const at::Tensor& part) { return part.defined(); });
  if (known == parts.end()) return {};
  for (at::Tensor& part : parts) {
    if (!part.defined()) part = at::zeros_like(*known);
  }
  return at::cat(parts);
}

void Runner::keep_states(const Step& step, const Outputs& made,
                         const Span& rows) {
  for (const ModelInput& input : ports_.inputs) {
    if (input.from != From::kState) continue;
    check_rows(ports_.outputs[input.output], made[input.output], rows.count);
    for (std::int64_t i = 0; i < rows.count; ++i) {
      (*state_of(step, rows.first + i))[place_of(input)] =
          made[input.output].narrow(0, i, 1).clone();
    }
  }
}

std::int64_t Runner::most_rows() const {
  std::int64_t most = kAll;
  for (const ModelInput& input : ports_.inputs) {
    if (!input.has_row_dim || input.file.dims.empty()) continue;
    const auto range = head_.ranges.find(input.file.dims.front());
    if (range != head_.ranges.end()) {
      most = std::min(most, range->second.most.value_or(kAll));
    }
  }
  return std::max<std::int64_t>(most, 1);
}

Runner::Outputs Runner::run_together(const Step& step, const Tensors& inputs,
                                     const Span& rows) {
  Outputs out = model_(
      binder_.bind(
          [&](const ModelInput& input) {
            return given(inputs, input).narrow(0, rows.first, rows.count);
          },
          [&](const ModelInput& input) {
            return states_for(step, input, rows);
          }),
      waiting_for(step));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (output.is_given) check_rows(output, out[i], rows.count);
  }
  keep_states(step, out, rows);
  return out;
}

/// As few runs as the model's range of rows allows.
Runner::Outputs Runner::run_batch(const Step& step, const Tensors& inputs) {
  const std::int64_t all = rows_of(step);
  const std::int64_t most = most_rows();
  if (all <= most)
    return run_together(step, inputs, {.first = 0, .count = all});
  Parts parts;
  for (std::int64_t first = 0; first < all; first += most) {
    parts.push_back(run_together(
        step, inputs, {.first = first, .count = std::min(most, all - first)}));
  }
  return joined(std::move(parts), ports_,
                [](const auto& rows, const ModelOutput& /*output*/) {
                  return at::cat(rows);
                });
}

Runner::Outputs Runner::run_one(const Step& step, const Tensors& inputs,
                                std::int64_t row) {
  State* state = state_of(step, row);
  const auto item = [&](const ModelInput& input) {
    const at::Tensor own = given(inputs, input)[row];
    return input.has_row_dim ? own.unsqueeze(0) : own;
  };
  const auto known = [&](const ModelInput& input) {
    return (*state)[place_of(input)];
  };
  Outputs out = model_(binder_.bind(item, known), waiting_for(step));
  for (const ModelInput& input : ports_.inputs) {
    if (input.from != From::kState) continue;
    (*state)[place_of(input)] = out[input.output];
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (!output.is_given || !output.has_row_dim) continue;
    check_rows(output, out[i], 1);
    out[i] = out[i].squeeze(0);
  }
  return out;
}

Runner::Outputs Runner::run_rows(const Step& step, const Tensors& inputs) {
  if (ports_.rows == ModelRows::kBatch) return run_batch(step, inputs);
  Parts parts;
  for (std::int64_t row = 0; row < rows_of(step); ++row) {
    parts.push_back(run_one(step, inputs, row));
  }
  return joined(std::move(parts), 0, ports_);
}

Runner::Outputs Runner::run_steps(const Step& step, const Tensors& inputs,
                                  std::int64_t steps) {
  const auto is_scanned = [this](const std::string& name) {
    return std::any_of(ports_.inputs.begin(), ports_.inputs.end(),
                       [&](const ModelInput& input) {
                         return input.is_scanned && input.port.name == name;
                       });
  };
  Parts parts;
  for (std::int64_t i = 0; i < steps; ++i) {
    Tensors now = inputs;
    for (auto& [name, tensor] : now) {
      if (is_scanned(name)) tensor = tensor.select(1, i);
    }
    parts.push_back(run_rows(step, now));
  }
  return joined(std::move(parts), 1, ports_);
}

/// Of the inputs that are scanned; nothing: none is.
std::optional<std::int64_t> Runner::steps_of(const Tensors& inputs) const {
  std::optional<std::int64_t> steps;
  for (const ModelInput& input : ports_.inputs) {
    if (!input.is_scanned) continue;
    const std::int64_t now = given(inputs, input).size(1);
    if (now < 1 || steps.value_or(now) != now) {
      throw Error(Code::kData, str("scan: '", input.port.name, "' has ", now,
                                   " steps, expected ", steps.value_or(1),
                                   steps ? "" : " or more"));
    }
    steps = now;
  }
  return steps;
}

Result Runner::run(const Step& step) {
  const Tensors inputs = inputs_of(step);
  const auto steps = steps_of(inputs);
  Outputs made =
      steps ? run_steps(step, inputs, *steps) : run_rows(step, inputs);
  Result result;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (output.is_given) result.out.emplace_back(output.port.name, made[i]);
  }
  return result;
}

}  // namespace penstock::exported
