// The one place that gives an error its context, and a thread its place: every
// call into a stage.
#pragma once

#include <exception>
#include <string>

#include "penstock/error.h"
#include "threads/calls.h"

namespace penstock {

/// The exception being handled as an Error. Foreign exceptions become Errors
/// here, so that none leaves the framework.
[[nodiscard]] Error current_error();
/// The same, with the place named.
[[nodiscard]] Error current_error(const Place& place);

/// Runs a call into a stage; `place` is in force as long as it lasts.
template <class Call>
auto in_stage(const Place& place, Call&& call) {
  try {
    const calls::Scope here(place);
    return call();
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    throw current_error(place);
  }
}

}  // namespace penstock
