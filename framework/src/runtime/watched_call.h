// A call into a stage that somebody watches.
#pragma once

#include "penstock/stage_call.h"
#include "threads/calls.h"

namespace penstock {

/// Makes the call, which gives errors their place; `watcher` may be null.
template <class Call>
auto watched(CallWatcher* watcher, const StageCall& what, Call&& call) {
  if (watcher == nullptr) return call();
  watcher->called(what);
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

}  // namespace penstock
