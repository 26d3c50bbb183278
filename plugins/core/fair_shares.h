// FairShares: how much each client has had, so that whoever had least comes
// next: the virtual token counters of Sheng et al., "Fairness in Serving Large
// Language Models" (2024).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "penstock/step.h"

namespace penstock::core {

/// One thread.
class FairShares {
 public:
  using Names = std::set<std::string_view>;

  /// These clients, and no others, have sequences that wait or run. One that
  /// had none goes on from the least of the others: nobody saves up credit, and
  /// nobody pays for a time when there was enough for all. Saying it twice
  /// changes nothing.
  void see(const Names& active);
  /// The client had so many tokens, by their cost() and divided by its weight.
  void charge(const std::string& client, double tokens);
  [[nodiscard]] double had(std::string_view client) const;
  /// Clients that are remembered: the active ones, and idle ones that had more
  /// than the least of those; of many idle ones those that had most.
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  struct Share {
    double had = 0;
    bool is_active = false;
  };
  void forget_idle();

  std::map<std::string, Share, std::less<>> all_;
  double floor_ = 0;  ///< no active client has less
};

/// Of a slice, in tokens of a prompt: a generated one costs several, since it
/// needs a step of its own; guesses are verified together, as prompts are.
[[nodiscard]] double cost(const Slice& slice);

}  // namespace penstock::core
