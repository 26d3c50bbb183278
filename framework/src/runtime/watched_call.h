// A call into a stage that somebody watches.
#pragma once

#include <utility>

#include "penstock/stage_call.h"
#include "threads/calls.h"

namespace penstock {

/// A part of a call of which the watcher, which may be null, was told before.
template <class Call>
auto watched_on(CallWatcher* watcher, const StageCall& what, Call&& call) {
  if (watcher == nullptr) return call();
  const calls::Watched here(what);
  try {
    return call();
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& error) {
    watcher->failed(what, error);
    throw;
  }
}

/// Makes the call, which gives errors their place; `watcher` may be null.
template <class Call>
auto watched(CallWatcher* watcher, const StageCall& what, Call&& call) {
  if (watcher != nullptr) watcher->called(what);
  return watched_on(watcher, what, std::forward<Call>(call));
}

}  // namespace penstock
