#include "penstock/testing/conformance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <deque>

namespace penstock::testing {
namespace {

/// A row in a slot, driven by hand.
struct Driven {
  Sample sample;
  Row row;

  Driven(int slot, Tokens tokens) {
    row.sample = &sample;
    row.slot = slot;
    row.want.full = true;
    set(std::move(tokens));
  }
  void set(Tokens tokens) {
    sample.tokens = tokens;
    row.tokens = std::move(tokens);
  }
};

/// Runs tokens [begin, begin + count) of each row, scores of all of them.
at::Tensor run(Forward& forward, Layout layout,
               const std::vector<Driven*>& rows,
               const std::vector<std::int64_t>& counts) {
  Step step;
  step.layout = layout;
  std::int64_t outs = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i]->row;
    row.want.from = row.cached;
    step.slices.push_back({.row = &row,
                           .count = counts[i],
                           .feed = 0,
                           .begin = row.cached,
                           .out = outs,
                           .outs = counts[i]});
    outs += counts[i];
  }
  step.inputs = collate(layout, step.slices);
  at::Tensor full = forward.forward(step).scores.full.cpu();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i]->row;
    if (row.slot >= 0) row.cached += counts[i];
    row.is_fresh = false;
  }
  return full;
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
    }
    mixed();
    return std::move(result_);
  }

 private:
  [[nodiscard]] at::Tensor truth(const Tokens& tokens) {
    Driven row(-1, tokens);
    return testing::run(uncached_, test_.layout, {&row}, {length(tokens)});
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

  /// Runs all of the row in chunks; compares with what the loop says.
  void feed(Driven& row, std::int64_t chunk, const std::string& what) {
    const at::Tensor wanted = truth(row.row.tokens);
    const std::int64_t end = length(row.row.tokens);
    while (row.row.cached < end) {
      const std::int64_t begin = row.row.cached;
      const std::int64_t count = std::min(chunk, end - begin);
      const auto got = testing::run(cached_, test_.layout, {&row}, {count});
      compare(str(what, ", tokens ", begin, " to ", begin + count), got,
              wanted.narrow(0, begin, count));
    }
  }

  void whole_and_chunked(const Tokens& prompt) {
    std::vector<std::int64_t> chunks{length(prompt)};
    if (caps_.can_chunk) chunks.insert(chunks.end(), {1, 3, 7});
    for (const std::int64_t chunk : chunks) {
      Driven row(0, prompt);
      feed(row, chunk,
           str("prompt of ", prompt.size(), " in chunks of ", chunk));
      cached_.release(0);
    }
  }

  void replayed(const Tokens& prompt) {
    Driven row(0, prompt);
    feed(row, length(prompt), "before a release");
    cached_.release(0);
    row.row.cached = 0;
    row.row.is_fresh = true;
    feed(row, length(prompt), "replayed after a release");
    cached_.release(0);
  }

  void rolled_back(const Tokens& prompt) {
    for (const std::int64_t drop :
         {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, length(prompt) / 2,
          length(prompt) - 1}) {
      const bool fits = caps_.rollback == kAll || drop <= caps_.rollback ||
                        length(prompt) <= caps_.whole;
      if (!fits || drop >= length(prompt)) continue;
      Driven row(0, prompt);
      feed(row, length(prompt), "before a rollback");
      cached_.truncate(0, length(prompt) - drop);
      row.row.cached = length(prompt) - drop;
      Tokens other(prompt.begin(), prompt.end() - drop);
      other.insert(other.end(), prompt.rbegin(), prompt.rbegin() + 6);
      row.set(other);
      feed(row, caps_.can_chunk ? 4 : length(other),
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
    second.row.cached = first.row.cached;
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

  /// All prompts in one step, then a token each.
  void mixed() {
    std::deque<Driven> all;
    std::vector<Driven*> rows;
    std::vector<std::int64_t> counts;
    for (const Tokens& prompt : test_.prompts) {
      const int slot = static_cast<int>(rows.size());
      if (slot == caps_.slots) break;
      rows.push_back(&all.emplace_back(slot, prompt));
      counts.push_back(length(prompt));
    }
    for (int step = 0; step < 3; ++step) {
      const auto got = testing::run(cached_, test_.layout, rows, counts);
      std::int64_t at = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const Tokens& tokens = rows[i]->row.tokens;
        compare(str("mixed step ", step, ", row ", i),
                got.narrow(0, at, counts[i]),
                truth(tokens).narrow(0, length(tokens) - counts[i], counts[i]));
        at += counts[i];
        Tokens more = tokens;
        more.push_back(tokens[i + static_cast<std::size_t>(step)]);
        rows[i]->set(more);
        counts[i] = 1;
      }
    }
    for (Driven* row : rows) cached_.release(row->row.slot);
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
      packed.push_back(slice.row->token(slice.begin + i));
    }
  }
  if (layout == Layout::kPacked) return {{"tokens", at::tensor(packed)}};
  const auto rows = static_cast<std::int64_t>(slices.size());
  auto ids = at::zeros({rows, longest}, at::kLong);
  auto mask = at::zeros({rows, longest}, at::kLong);
  for (std::int64_t r = 0; r < rows; ++r) {
    const Slice& slice = slices[static_cast<std::size_t>(r)];
    for (std::int64_t i = 0; i < slice.count; ++i) {
      const std::int64_t column = longest - slice.count + i;
      ids[r][column] = slice.row->token(slice.begin + i);
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
