#include "core/fair_order.h"

#include <algorithm>
#include <tuple>

namespace penstock::core {
namespace {

/// What a client has left to run; never empty.
struct Queue {
  std::vector<const Prompt*> prompts;
  std::vector<std::int64_t> priorities;  ///< highest of each and those behind
  std::size_t next = 0;
  double had = 0;
  std::int64_t running = 0;

  [[nodiscard]] bool is_over() const { return next == prompts.size(); }
  [[nodiscard]] auto rank() const {
    const Prompt& first = *prompts[next];
    return std::tuple(-priorities[next], had, running,
                      first.turn.sequence->since);
  }
};

std::vector<Queue> queues_of(
    const std::vector<Prompt>& prompts, const FairShares& shares,
    std::map<std::string_view, std::int64_t>& running) {
  std::map<std::string_view, Queue> by_client;
  for (const Prompt& prompt : prompts) {
    by_client[prompt.client].prompts.push_back(&prompt);
  }
  std::vector<Queue> out;
  for (auto& [client, queue] : by_client) {
    queue.had = shares.had(client);
    queue.running = running[client];
    std::int64_t highest = queue.prompts.back()->priority;
    for (auto at = queue.prompts.rbegin(); at != queue.prompts.rend(); ++at) {
      highest = std::max(highest, (*at)->priority);
      queue.priorities.push_back(highest);
    }
    std::reverse(queue.priorities.begin(), queue.priorities.end());
    out.push_back(std::move(queue));
  }
  return out;
}

}  // namespace

std::vector<Turn> fair_order(const std::vector<Prompt>& prompts,
                             const FairShares& shares,
                             std::map<std::string_view, std::int64_t> running) {
  auto queues = queues_of(prompts, shares, running);
  std::vector<Turn> out;
  while (!queues.empty()) {
    const auto first = std::min_element(
        queues.begin(), queues.end(),
        [](const Queue& a, const Queue& b) { return a.rank() < b.rank(); });
    const Prompt& prompt = *first->prompts[first->next++];
    out.push_back(prompt.turn);
    first->had += prompt.tokens;
    first->running += prompt.turn.is_running ? 0 : 1;
    if (first->is_over()) queues.erase(first);
  }
  return out;
}

}  // namespace penstock::core
