// Who waits for a run of a model.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "penstock/step.h"

namespace penstock::exported {

/// A run that takes long ends when all of them have stopped, or at the time.
struct Waiting {
  std::vector<std::stop_token> stops;  ///< none: nobody can stop it
  std::optional<Time> deadline;

  /// Whether nobody waits any more.
  [[nodiscard]] bool is_over() const;
};

/// Those whose sequences are in the step.
[[nodiscard]] Waiting waiting_for(const Step& step);

}  // namespace penstock::exported
