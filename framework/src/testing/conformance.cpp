#include "penstock/testing/conformance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <deque>

#include "testing/masked.h"

namespace penstock::testing {
namespace {

/// A sequence in a slot, driven by hand.
struct Driven {
  Item item;
  Sequence sequence;

  Driven(int slot, Tokens tokens) {
    sequence.item = &item;
    sequence.slot = slot;
    sequence.want.full = true;
    set(std::move(tokens));
  }
  void set(Tokens tokens) {
    item.tokens = tokens;
    sequence.tokens = std::move(tokens);
  }
};

/// Runs tokens [begin, begin + count) of each sequence; gives the step, with
/// scores of all of them.
std::pair<Step, Scores> scores_of(Forward& forward, Layout layout,
                                  const std::vector<Driven*>& sequences,
                                  const std::vector<std::int64_t>& counts) {
  Step step;
  step.layout = layout;
  std::int64_t outs = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    Sequence& sequence = sequences[i]->sequence;
    sequence.want.from = sequence.cached;
    step.slices.push_back({.sequence = &sequence,
                           .count = counts[i],
                           .begin = sequence.cached,
                           .out = outs,
                           .outs = counts[i]});
    outs += counts[i];
  }
  step.inputs = collate(layout, step.slices);
  Scores scores = forward.forward(step).scores;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    Sequence& sequence = sequences[i]->sequence;
    if (sequence.slot >= 0) sequence.cached += counts[i];
    sequence.is_fresh = false;
  }
  return {std::move(step), std::move(scores)};
}

at::Tensor run(Forward& forward, Layout layout,
               const std::vector<Driven*>& sequences,
               const std::vector<std::int64_t>& counts) {
  return scores_of(forward, layout, sequences, counts).second.full.cpu();
}

std::int64_t length(const Tokens& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

class Check {
 public:
  Check(Forward& cached, Forward& uncached, const Conformance& test)
      : cached_(cached),
        uncached_(uncached),
        test_(test),
        caps_(cached.caps()) {}

  ConformanceResult run_all() {
    for (const Tokens& prompt : test_.prompts) {
      whole_and_chunked(prompt);
      replayed(prompt);
      rolled_back(prompt);
      copied(prompt);
      masked(prompt);
    }
    mixed();
    return std::move(result_);
  }

 private:
  [[nodiscard]] at::Tensor truth(const Tokens& tokens) {
    Driven sequence(-1, tokens);
    return testing::run(uncached_, test_.layout, {&sequence}, {length(tokens)});
  }

  void compare(const std::string& what, const at::Tensor& got,
               const at::Tensor& wanted) {
    ++result_.comparisons;
    const auto worst = (got - wanted).abs().max().item<double>();
    if (!(worst <= result_.worst)) result_.worst = worst;
    if (worst <= test_.tolerance) return;
    result_.failures.push_back(str(what, ": scores differ by ", worst,
                                   ", more than ", test_.tolerance));
  }

  /// Runs all of the sequence in chunks; compares with what the loop says.
  void feed(Driven& sequence, std::int64_t chunk, const std::string& what) {
    const at::Tensor wanted = truth(sequence.sequence.tokens);
    const std::int64_t end = length(sequence.sequence.tokens);
    while (sequence.sequence.cached < end) {
      const std::int64_t begin = sequence.sequence.cached;
      const std::int64_t count = std::min(chunk, end - begin);
      const auto got =
          testing::run(cached_, test_.layout, {&sequence}, {count});
      compare(str(what, ", tokens ", begin, " to ", begin + count), got,
              wanted.narrow(0, begin, count));
    }
  }

  void whole_and_chunked(const Tokens& prompt) {
    std::vector<std::int64_t> chunks{length(prompt)};
    if (caps_.can_chunk) chunks.insert(chunks.end(), {1, 3, 7});
    for (const std::int64_t chunk : chunks) {
      Driven sequence(0, prompt);
      feed(sequence, chunk,
           str("prompt of ", prompt.size(), " in chunks of ", chunk));
      cached_.release(0);
    }
  }

  void replayed(const Tokens& prompt) {
    Driven sequence(0, prompt);
    feed(sequence, length(prompt), "before a release");
    cached_.release(0);
    sequence.sequence.cached = 0;
    sequence.sequence.is_fresh = true;
    feed(sequence, length(prompt), "replayed after a release");
    cached_.release(0);
  }

  void rolled_back(const Tokens& prompt) {
    for (const std::int64_t drop :
         {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, length(prompt) / 2,
          length(prompt) - 1}) {
      const bool fits = caps_.rollback == kAll || drop <= caps_.rollback ||
                        length(prompt) <= caps_.whole;
      if (!fits || drop >= length(prompt)) continue;
      Driven sequence(0, prompt);
      feed(sequence, length(prompt), "before a rollback");
      cached_.truncate(0, length(prompt) - drop);
      sequence.sequence.cached = length(prompt) - drop;
      Tokens other(prompt.begin(), prompt.end() - drop);
      other.insert(other.end(), prompt.rbegin(), prompt.rbegin() + 6);
      sequence.set(other);
      feed(sequence, caps_.can_chunk ? 4 : length(other),
           str("rolled back by ", drop));
      cached_.release(0);
    }
  }

  void copied(const Tokens& prompt) {
    if (!caps_.can_copy || caps_.slots < 2) return;
    Driven first(0, prompt);
    feed(first, length(prompt), "before a copy");
    cached_.copy(0, 1);
    Driven second(1, prompt);
    second.sequence.cached = first.sequence.cached;
    Tokens more = prompt;
    more.insert(more.end(), {prompt[0], prompt[1], prompt[2]});
    first.set(more);
    more = prompt;
    more.insert(more.end(), {prompt[3], prompt[4]});
    second.set(more);
    feed(first, 1, "the original after a copy");
    feed(second, 1, "the copy");
    cached_.release(0);
    cached_.release(1);
  }

  /// Beside a sequence without masks, where there is room for one: first what
  /// Decode mostly wants, then everything.
  void masked(const Tokens& prompt) {
    const std::int64_t count = length(prompt);
    const at::Tensor unmasked = truth(prompt);
    const std::int64_t vocab = unmasked.size(1);
    for (const bool is_all : {false, true}) {
      Driven ruled(0, prompt);
      Driven free(1, prompt);
      Want& want = ruled.sequence.want;
      want = {.top = 3, .full = is_all, .norm = is_all, .ids = {vocab - 1, 0}};
      free.sequence.want.full = false;
      free.sequence.want.top = 1;
      for (std::int64_t i = 0; i < count; ++i) {
        want.allowed.push_back(any_set(i, vocab));
      }
      std::vector<Driven*> sequences{&ruled};
      if (caps_.slots > 1) sequences.push_back(&free);
      const auto [step, scores] =
          scores_of(cached_, test_.layout, sequences,
                    std::vector<std::int64_t>(sequences.size(), count));
      look_at_masked(step, scores, unmasked);
      for (const Driven* each : sequences) cached_.release(each->sequence.slot);
    }
  }

  void look_at_masked(const Step& step, const Scores& scores,
                      const at::Tensor& unmasked) {
    std::int64_t row = 0;
    for (const Position& position : scored_positions(step)) {
      ++result_.comparisons;
      const std::string fault = masked_fault(
          scores, row++, unmasked[position.token], position, test_.tolerance);
      if (fault.empty()) continue;
      result_.failures.push_back(
          str("with allowed tokens, token ", position.token, ": ", fault));
    }
  }

  /// All prompts in one step, then a token each.
  void mixed() {
    std::deque<Driven> all;
    std::vector<Driven*> sequences;
    std::vector<std::int64_t> counts;
    for (const Tokens& prompt : test_.prompts) {
      const int slot = static_cast<int>(sequences.size());
      if (slot == caps_.slots) break;
      sequences.push_back(&all.emplace_back(slot, prompt));
      counts.push_back(length(prompt));
    }
    for (int step = 0; step < 3; ++step) {
      const auto got = testing::run(cached_, test_.layout, sequences, counts);
      std::int64_t at = 0;
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        const Tokens& tokens = sequences[i]->sequence.tokens;
        compare(str("mixed step ", step, ", sequence ", i),
                got.narrow(0, at, counts[i]),
                truth(tokens).narrow(0, length(tokens) - counts[i], counts[i]));
        at += counts[i];
        Tokens more = tokens;
        more.push_back(tokens[i + static_cast<std::size_t>(step)]);
        sequences[i]->set(more);
        counts[i] = 1;
      }
    }
    for (Driven* sequence : sequences) cached_.release(sequence->sequence.slot);
  }

  Forward& cached_;
  Forward& uncached_;
  const Conformance& test_;
  Caps caps_;
  ConformanceResult result_;
};

}  // namespace

Tensors collate(Layout layout, const std::vector<Slice>& slices) {
  Tokens packed;
  std::int64_t longest = 0;
  for (const Slice& slice : slices) {
    longest = std::max(longest, slice.count);
    for (std::int64_t i = 0; i < slice.count; ++i) {
      packed.push_back(slice.sequence->token(slice.begin + i));
    }
  }
  if (layout == Layout::kPacked) return {{"tokens", at::tensor(packed)}};
  const auto sequences = static_cast<std::int64_t>(slices.size());
  auto ids = at::zeros({sequences, longest}, at::kLong);
  auto mask = at::zeros({sequences, longest}, at::kLong);
  for (std::int64_t r = 0; r < sequences; ++r) {
    const Slice& slice = slices[static_cast<std::size_t>(r)];
    for (std::int64_t i = 0; i < slice.count; ++i) {
      const std::int64_t column = longest - slice.count + i;
      ids[r][column] = slice.sequence->token(slice.begin + i);
      mask[r][column] = 1;
    }
  }
  return {{"input_ids", ids}, {"attention_mask", mask}};
}

ConformanceResult check_forward(Forward& cached, Forward& uncached,
                                const Conformance& test) {
  return Check(cached, uncached, test).run_all();
}

}  // namespace penstock::testing
