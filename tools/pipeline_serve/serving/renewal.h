// Other pipelines while it serves: those that files describe now.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

/// What came of it, by name.
struct Renewal {
  std::vector<std::string> added, changed, removed;

  /// "added a, b; changed c", or "no pipeline changed".
  [[nodiscard]] std::string text() const;
};

/// From now on `wanted` are served, in that order, none of which is open: those
/// whose files say what they said stay as they are, others are opened first,
/// beside what runs. Throws what opening them throws, with nothing changed.
Renewal renew(Models& models, std::vector<std::unique_ptr<Served>> wanted);

}  // namespace penstock::serve
