#include "core/fair_shares.h"

#include <algorithm>
#include <limits>

#include "core/step_room.h"

namespace penstock::core {
namespace {

/// Between 2, what the paper takes, and 10, what a token of a running sequence
/// takes of a CPU's time beside one of a prompt; what hosted models charge.
constexpr double kGeneratedCost = 4;
/// Idle clients that had more than others are remembered up to here.
constexpr std::size_t kMostIdle = 1024;

}  // namespace

void FairShares::see(const Names& active) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [name, share] : all_) {
    const bool has_stayed = share.is_active && active.contains(name);
    if (has_stayed) least = std::min(least, share.had);
  }
  if (least < std::numeric_limits<double>::infinity()) {
    floor_ = std::max(floor_, least);
  }
  for (auto& [name, share] : all_) {
    share.is_active = share.is_active && active.contains(name);
  }
  for (const std::string_view name : active) {
    Share& share = all_[std::string(name)];
    if (!share.is_active) share.had = std::max(share.had, floor_);
    share.is_active = true;
  }
  forget_idle();
}

void FairShares::forget_idle() {
  std::erase_if(all_, [&](const auto& each) {
    return !each.second.is_active && each.second.had <= floor_;
  });
  const auto is_idle = [](const auto& each) { return !each.second.is_active; };
  auto idle = static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(), is_idle));
  for (; idle > kMostIdle; --idle) {
    auto least = all_.end();
    for (auto at = all_.begin(); at != all_.end(); ++at) {
      if (!is_idle(*at)) continue;
      if (least == all_.end() || at->second.had < least->second.had) least = at;
    }
    all_.erase(least);
  }
}

void FairShares::charge(const std::string& client, double tokens) {
  const auto found = all_.find(client);
  if (found != all_.end()) found->second.had += tokens;
}

double FairShares::had(std::string_view client) const {
  const auto found = all_.find(client);
  return found == all_.end() ? floor_ : std::max(floor_, found->second.had);
}

double cost(const Slice& slice) {
  const auto count = static_cast<double>(slice.count);
  return is_decoding(*slice.sequence, slice.begin) ? kGeneratedCost + count - 1
                                                   : count;
}

}  // namespace penstock::core
