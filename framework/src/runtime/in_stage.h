// The one place that gives an error its context: every call into a stage.
#pragma once

#include <exception>
#include <string>

#include "penstock/error.h"

namespace penstock {

/// The exception being handled as an Error that names the place. Foreign
/// exceptions become Errors here, so that none leaves the framework.
[[nodiscard]] Error current_error(const std::string& place);

/// Runs a call into a stage.
template <class Call>
auto in_stage(const std::string& place, Call&& call) {
  try {
    return call();
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    throw current_error(place);
  }
}

}  // namespace penstock
