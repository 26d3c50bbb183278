// What becomes of a file that has no such track, of a film without sound: the
// param `missing` of every stage that reads recordings or films.
//
// For stages: alone in this folder, it includes what needs libtorch.
#pragma once

#include <string>

#include "lib/media/input.h"
#include "penstock/preprocess.h"
#include "penstock/stage_spec.h"

namespace penstock::media {

/// Declares the param. `what`: "sound" or "pictures".
template <class Stage>
void declare_missing(Declaration<Stage>& d, const std::string& what) {
  d.param(
       "missing", &Stage::Params::missing,
       str("skip: a file without ", what, " gives nothing, and that is told"))
      .choices({"fail", "skip"})
      .per_request();
}

/// Calls `read`. The NoTrack that it throws is told as a warning, or goes on
/// where `missing` is "fail".
template <class Read>
void read_if_any(const std::string& missing, ItemSink& out, Read&& read) {
  try {
    read();
  } catch (const NoTrack& none) {
    if (missing == "fail") throw;
    out.warn(none.text());
  }
}

}  // namespace penstock::media
