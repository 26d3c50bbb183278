// Decode, and what it is given: its own half on Forward's device, the wait for
// that device, and the half that reads what came.
#include <utility>

#include "runtime/declared.h"
#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {

std::vector<Next> Lane::decode(const Step& step, Result result,
                               std::int64_t size, Times& at) {
  auto call = call_of(stages_.file.decode, stages_.decode, step);
  const Result given = stages_.watcher == nullptr ? Result() : result;
  call.result = &given;
  const auto as_decode = [&](auto&& half) {
    try {
      const calls::Scope here(stages_.decode_place);
      return half();
    } catch (...) {
      throw decode_error();
    }
  };
  const Scores made = result.scores;
  Result picked = watched(stages_.watcher, call, [&] {
    return as_decode([&] {
      return picks_.run(
          size, [&] { return stages_.decode.pick(step, std::move(result)); });
    });
  });
  at.picked = Clock::now();
  at.has_waited = fetch(step, picked, made);
  at.fetched = Clock::now();
  std::vector<Next> nexts;
  watched_on(stages_.watcher, call, [&] {
    as_decode([&] {
      decodes_.run(size, [&] { stages_.decode.decode(step, picked, nexts); });
      for (const Next& next : nexts) check_declared(next, stages_.decode_spec);
      stages_.boundary.decided(nexts);
    });
    tell_errors(call, nexts);
  });
  at.decoded = Clock::now();
  return nexts;
}

/// What the device has not done yet is Forward's: its kernels end here, and
/// here they are seen to fail. Its scores are checked now that they are here,
/// since to look at them before would be a wait more in each step.
bool Lane::fetch(const Step& step, Result& picked, Scores made) {
  const auto call = call_of(stages_.file.forward, stages_.forward, step);
  const bool has_waited = watched_on(stages_.watcher, call, [&] {
    return in_stage(stages_.forward_place, [&] {
      const bool has_come = copies_.to_host(picked, made);
      Boundary::allowed(step, made);
      return has_come;
    });
  });
  drop_not_finite(step, made);
  return has_waited;
}

/// Those that end one sequence alone.
void Lane::tell_errors(const StageCall& call, const std::vector<Next>& nexts) {
  if (stages_.watcher == nullptr) return;
  for (const Next& next : nexts) {
    if (!next.error) continue;
    try {
      std::rethrow_exception(next.error);
    } catch (...) {
      stages_.watcher->failed(call, decode_error());
    }
  }
}

}  // namespace penstock
