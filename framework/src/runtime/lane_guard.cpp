// What would make sequences hang, or would be told as another stage's fault.
#include <algorithm>

#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {

/// A Batch may wait for sequences, or for a time that it tells; not for ever.
void Lane::check_empty(const Plan& plan, Time now, bool could_run) {
  constexpr auto kMost = std::chrono::seconds(10);
  constexpr auto kMostForATime = std::chrono::minutes(2);
  if (!plan.slices.empty() || !could_run) {
    no_plan_since_ = {};
    return;
  }
  if (no_plan_since_ == Time{}) no_plan_since_ = now;
  const Clock::duration most = plan.check_again_at > now
                                   ? Clock::duration(kMostForATime)
                                   : Clock::duration(kMost);
  if (now - no_plan_since_ < most) return;
  no_plan_since_ = {};
  throw Error(
      Code::kInternal,
      str("batch planned nothing for ",
          std::chrono::duration_cast<std::chrono::seconds>(most).count(),
          " s, though ", waiting_.size() + running_.size(),
          " sequences could run and no more are coming"))
      .in(stages_.batch_place);
}

void Lane::drop_not_finite(const Step& step, const Scores& scores) {
  for (auto& bad : Boundary::not_finite(step, scores)) {
    bad.error.in(stages_.forward_place);
    if (stages_.watcher != nullptr) {
      stages_.watcher->failed(
          call_of(stages_.file.forward, stages_.forward, step), bad.error);
    }
    fail(member(step.slices[bad.slice]), bad.error);
  }
}

/// An item's sequences were counted by its width before they were given slots.
void Lane::check_width(Member& child, const std::vector<Born>& born) {
  const auto is_its = [&](const Member& sequence) {
    return sequence.item == child.item && !sequence.is_dead;
  };
  const auto sequences =
      std::count_if(running_.begin(), running_.end(),
                    [&](const auto& sequence) { return is_its(*sequence); }) +
      std::count_if(born.begin(), born.end(),
                    [&](const Born& each) { return is_its(*each.child); });
  if (child.is_dead || sequences <= child.item->width) return;
  fail(child,
       Error(Code::kInternal,
             str("decode forks an item into ", sequences,
                 " sequences, but its Item::width is ", child.item->width,
                 "; set it in Preprocess or Decode::start()"))
           .in(stages_.decode_place));
}

/// Nothing will ever change it.
void Lane::fail_unwanted(Member& sequence) {
  fail(sequence,
       Error(Code::kInternal,
             str("decode said nothing of a sequence that ran to its end, and "
                 "wants no scores of it: Want::from is ",
                 sequence.want.from, " of ", sequence.length(), " tokens"))
           .in(stages_.decode_place));
}

Error Lane::decode_error() const {
  try {
    throw;
  } catch (const ForwardFault&) {
    return current_error(stages_.forward_place);
  } catch (...) {
    return current_error(stages_.decode_place);
  }
}

}  // namespace penstock
