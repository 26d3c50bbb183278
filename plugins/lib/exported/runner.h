// Runs a model that others made on a step: its rows together or one after
// another, its steps where inputs are scanned, with the states of sequences and
// with the inputs that Decode set.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/exported/bind.h"
#include "lib/exported/waiting.h"
#include "penstock/step.h"

namespace penstock::exported {

/// One thread at a time.
class Runner {
 public:
  /// Takes the file's inputs in their order, contiguous and on the CPU; gives
  /// its outputs in theirs. An output that is no tensor of numbers is
  /// undefined. May throw Cancelled when nobody waits.
  using Model = std::function<std::vector<at::Tensor>(
      const std::vector<at::Tensor>&, const Waiting&)>;

  /// `slots`: sequences that keep a state; 0: the model has none.
  Runner(ModelHead head, ModelPorts ports, int slots, Model model);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  Runner(Runner&&) = delete;
  Runner& operator=(Runner&&) = delete;
  ~Runner() = default;

  [[nodiscard]] Result run(const Step& step);
  void release(int slot) noexcept;
  [[nodiscard]] int slots() const { return static_cast<int>(states_.size()); }

 private:
  /// Of a slot: each input's tensor, where it is a state that is known.
  using State = std::vector<at::Tensor>;
  /// By output of the file; those that the pipeline gets are defined.
  using Outputs = std::vector<at::Tensor>;
  /// Rows of a step.
  struct Span {
    std::int64_t first = 0, count = 0;
  };

  /// What Decode set is all among the inputs.
  void check_set(const Sequence& sequence) const;
  [[nodiscard]] Tensors inputs_of(const Step& step) const;
  [[nodiscard]] Outputs run_rows(const Step& step, const Tensors& inputs);
  [[nodiscard]] Outputs run_batch(const Step& step, const Tensors& inputs);
  [[nodiscard]] Outputs run_together(const Step& step, const Tensors& inputs,
                                     const Span& rows);
  [[nodiscard]] Outputs run_one(const Step& step, const Tensors& inputs,
                                std::int64_t row);
  [[nodiscard]] Outputs run_steps(const Step& step, const Tensors& inputs,
                                  std::int64_t steps);
  [[nodiscard]] std::optional<std::int64_t> steps_of(
      const Tensors& inputs) const;
  [[nodiscard]] State* state_of(const Step& step, std::int64_t row);
  /// Of those rows, as one batch; undefined: no row has one.
  [[nodiscard]] at::Tensor states_for(const Step& step, const ModelInput& input,
                                      const Span& rows);
  void keep_states(const Step& step, const Outputs& made, const Span& rows);
  /// The most rows that the model takes at once.
  [[nodiscard]] std::int64_t most_rows() const;
  [[nodiscard]] std::size_t place_of(const ModelInput& input) const {
    return static_cast<std::size_t>(&input - ports_.inputs.data());
  }

  ModelHead head_;
  std::string file_;
  ModelPorts ports_;
  Binder binder_;
  Model model_;
  std::vector<State> states_;  ///< by slot
};

}  // namespace penstock::exported
