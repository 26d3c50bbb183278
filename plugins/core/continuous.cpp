#include "core/continuous.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "core/fair_order.h"
#include "core/prefix_wait.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

/// So many tokens of prompts run in every step where there is room, however
/// long it takes: a prompt must come to its end.
constexpr std::int64_t kFewestPromptTokens = 32;

}  // namespace

// lint: long, a table
void Continuous::declare(Declaration<Continuous>& d) {
  d.doc("Continuous batching: sequences join and leave between steps, unpadded")
      .layouts({Layout::kPacked})
      .light();
  declare_room(
      d, "most sequences that run at once",
      "milliseconds that the first sequence waits for others while nothing "
      "runs");
  d.param("chunk", &Params::chunk, "most tokens of one prompt in one step")
      .range(1, 1 << 20);
  d.param("max_step_tokens", &Params::max_step_tokens,
          "most tokens of all sequences together in one step")
      .range(1, 1 << 20);
  d.param("step_ms", &Params::step_ms,
          "milliseconds that a step may take while sequences decode: prompts "
          "get what those leave of it; 0: whatever it takes")
      .range(0, 60000);
  d.param("step_ratio", &Params::step_ratio,
          "times that a step may take as long as one that only decodes, where "
          "step_ms allows it; 0: any")
      .range(0, 1000);
  d.param("prefix_cache", &Params::prefix_cache,
          "let a prompt that begins like another one, running or ended, reuse "
          "its keys and values");
  d.param("kept_mib", &Params::kept_mib,
          "MiB of keys and values that ended sequences may leave behind for "
          "prefix_cache and for chats, the oldest give way; 0: as many as "
          "there are slots")
      .range(0, 1 << 30);
  d.param("priority", &Params::priority,
          "requests of a higher one start first, then those that came first")
      .range(-1000, 1000)
      .per_request();
  d.param("client", &Params::client,
          "whose request it is: of equal priority, the client starts next that "
          "had the fewest tokens computed; empty: a client like any other")
      .per_request();
  d.param("weight", &Params::weight,
          "share of its client among those that wait, beside theirs")
      .range(0.01, 100)
      .per_request();
}

const Continuous::Params& Continuous::params_of(
    const Sequence& sequence) const {
  const auto& request = sequence.item->request;
  if (!request || request->checked.size() <= index) return params_;
  return params<Params>(*this, *request);
}

std::int64_t Continuous::priority(const Sequence& sequence) const {
  return params_of(sequence).priority;
}

/// Sequences that decode need one token each, and their guesses: they go first,
/// so that a long prompt takes what is left of the step and not their turn.
std::vector<Sequence*> Continuous::ordered(std::span<Sequence* const> sequences,
                                           bool are_running) const {
  std::vector<Sequence*> all(sequences.begin(), sequences.end());
  const auto rank = [&](const Sequence* sequence) {
    return std::pair(are_running && is_decoding(*sequence, sequence->cached),
                     priority(*sequence));
  };
  std::stable_sort(
      all.begin(), all.end(),
      [&](const Sequence* a, const Sequence* b) { return rank(a) > rank(b); });
  return all;
}

double Continuous::step_s(std::int64_t decoding) const {
  double most = std::numeric_limits<double>::infinity();
  if (params_.step_ms > 0) most = params_.step_ms / 1e3;
  if (params_.step_ratio <= 0) return most;
  return std::min(most, params_.step_ratio * times_.decoding_s(decoding));
}

/// Where nothing decodes, nobody waits for the end of the step.
StepRoom Continuous::room(std::span<Sequence* const> running) const {
  StepRoom::Limits limits{.chunk = params_.chunk,
                          .tokens = params_.max_step_tokens,
                          .prompt_tokens = params_.max_step_tokens};
  std::int64_t decoding = 0;
  for (const Sequence* sequence : running) {
    if (!is_decoding(*sequence, sequence->cached)) continue;
    decoding += sequence->length() - sequence->cached;
  }
  if (fills_by_time() && decoding > 0) {
    limits.prompt_tokens = std::max(
        kFewestPromptTokens, times_.prompt_tokens(decoding, step_s(decoding))
                                 .value_or(kFewestPromptTokens));
  }
  return StepRoom(limits);
}

/// With one client they stay as they are. With several, the prompts of those
/// that had less come first, running or waiting: else one that runs many long
/// prompts would have all the room of many steps.
std::vector<Turn> Continuous::turns(const Offer& in_order) {
  std::vector<Turn> all = turns_of(in_order);
  FairShares::Names clients;
  std::map<std::string_view, std::int64_t> running;
  for (const auto& [sequence, is_running] : all) {
    const std::string_view client = params_of(*sequence).client;
    clients.insert(client);
    running[client] += is_running ? 1 : 0;
  }
  shares_.see(clients);
  if (clients.size() < 2) return all;

  std::vector<Turn> out;
  std::vector<Prompt> prompts;
  for (const Turn& turn : all) {
    const Sequence& sequence = *turn.sequence;
    if (turn.is_running && is_decoding(sequence, sequence.cached)) {
      out.push_back(turn);
      continue;
    }
    const Params& asked = params_of(sequence);
    const auto tokens =
        std::min(sequence.length() - sequence.cached, params_.chunk);
    prompts.push_back({.turn = turn,
                       .client = asked.client,
                       .priority = asked.priority,
                       .tokens = static_cast<double>(tokens) / asked.weight});
  }
  const auto fair = fair_order(prompts, shares_, std::move(running));
  out.insert(out.end(), fair.begin(), fair.end());
  return out;
}

Plan Continuous::plan(const Offer& offer) {
  const auto running = ordered(offer.running, /*are_running=*/true);
  const auto waiting = ordered(offer.waiting, /*are_running=*/false);
  Offer in_order = offer;
  in_order.running = running;
  in_order.waiting = waiting;

  StepRoom left = room(running);
  PrefixWait prefixes(params_.prefix_cache ? offer.caps : Caps());
  const auto share = [&](const Sequence& sequence) {
    std::int64_t done = sequence.cached;
    if (sequence.slot < 0 && offer.found) {
      done = offer.found(sequence);
      if (prefixes.waits(sequence, done, priority(sequence))) return kHeld;
    }
    const std::int64_t count = left.take(sequence, done);
    if (count > 0 && !is_decoding(sequence, done)) {
      prefixes.computes(sequence, done, priority(sequence));
    }
    return count;
  };
  Plan made = plan_turns(
      in_order,
      {.max_sequences = max_sequences(), .max_wait_ms = params_.max_wait_ms},
      turns(in_order), share);
  prefixes.cut(made);
  return made;
}

void Continuous::observe(const Step& step, double seconds) {
  for (const Slice& slice : step.slices) {
    const Params& asked = params_of(*slice.sequence);
    shares_.charge(asked.client, cost(slice) / asked.weight);
  }
  if (!fills_by_time()) return;
  StepLoad load;
  for (const Slice& slice : step.slices) {
    // What a model makes of a sound or a picture is no matter of tokens.
    const bool shows_inputs =
        slice.sequence->is_fresh && !slice.sequence->item->inputs.empty();
    if (shows_inputs) return;
    (is_decoding(*slice.sequence, slice.begin) ? load.decoding : load.prompt) +=
        slice.count;
  }
  times_.learn(load, seconds);
}

Tensors Continuous::collate(std::span<const Slice> slices) {
  std::int64_t total = 0;
  for (const Slice& slice : slices) total += slice.count;
  auto tokens = at::empty({total}, at::kLong);
  auto* to = tokens.mutable_data_ptr<std::int64_t>();
  for (const Slice& slice : slices) {
    for (std::int64_t i = 0; i < slice.count; ++i) {
      *to++ = slice.sequence->token(slice.begin + i);
    }
  }
  return {{tensors::kTokens, tokens}};
}

}  // namespace penstock::core
