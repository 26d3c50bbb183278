#include "testing/fake_stages.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "penstock/parallel.h"
#include "penstock/testing/conformance.h"

namespace penstock::testing {
namespace {

/// The test's items, or what is least for those who follow.
std::vector<GivenItem> items_of(const Given& given) {
  if (!given.items.empty()) return given.items;
  if (!given.outputs.empty()) {
    return std::vector<GivenItem>(given.outputs.size());
  }
  return {GivenItem{.tokens = {0}, .inputs = {}, .notes = {}, .width = 1}};
}

}  // namespace

void FakePreprocess::preprocess(const Request& /*request*/, Item /*in*/,
                                ItemSink& out) const {
  for (const GivenItem& given : items_of(given_)) {
    Item item;
    item.tokens = given.tokens;
    item.inputs = given.inputs;
    item.notes = given.notes;
    item.width = given.width;
    out.push(std::move(item));
  }
}

int FakeBatch::max_sequences() const {
  int count = 1;
  for (const GivenItem& item : items_of(given_)) count += item.width;
  return count;
}

Plan FakeBatch::plan(const Offer& offer) {
  Plan plan;
  const auto add = [&plan](Sequence* sequence) {
    // A sequence without tokens counts as one.
    const std::int64_t length = std::max<std::int64_t>(1, sequence->length());
    plan.slices.push_back(
        {.sequence = sequence, .count = length - sequence->cached});
  };
  for (Sequence* sequence : offer.running) add(sequence);
  int free = offer.free_slots;
  for (Sequence* sequence : offer.waiting) {
    if (sequence->item->width > free) break;
    free -= sequence->item->width;
    add(sequence);
  }
  plan.why = plan.slices.empty() ? Closed::kNothing : Closed::kRunning;
  return plan;
}

Tensors FakeBatch::collate(std::span<const Slice> slices) {
  const SerialOps serial;
  if (layout_ != Layout::kStacked) {
    return testing::collate(layout_, {slices.begin(), slices.end()});
  }
  Tensors out;
  for (const auto& [name, first] : slices.front().sequence->item->inputs) {
    std::vector<at::Tensor> rows;
    for (const Slice& slice : slices) {
      rows.push_back(get(slice.sequence->item->inputs, name));
    }
    out.emplace_back(name, at::stack(rows));
  }
  return out;
}

void FakeForward::open(StageContext& context) {
  slots_ = context.slots;
  for (const auto& fact : given_.facts) context.facts.insert(fact);
}

Caps FakeForward::caps() const {
  return {.slots = slots_,
          .rollback = kAll,
          .whole = kAll,
          .can_copy = true,
          .can_chunk = true};
}

std::vector<float> FakeForward::scores_after(const Sequence& sequence,
                                             std::int64_t length) const {
  if (!given_.scores) return {1, 0};
  Tokens tokens;
  for (std::int64_t i = 0; i < length; ++i) tokens.push_back(sequence.token(i));
  return given_.scores(tokens);
}

Result FakeForward::forward(const Step& step) {
  const SerialOps serial;
  return given_.outputs.empty() ? scored(step) : named(step);
}

Result FakeForward::named(const Step& step) const {
  Result result;
  for (const auto& [name, first] : given_.outputs.front()) {
    std::vector<at::Tensor> rows;
    for (const Slice& slice : step.slices) {
      const auto item = static_cast<std::size_t>(slice.sequence->item->index);
      if (item >= given_.outputs.size()) {
        throw Error(Code::kInternal,
                    str("the test has outputs for ", given_.outputs.size(),
                        " items, none for item ", item));
      }
      rows.push_back(get(given_.outputs[item], name));
    }
    result.out.emplace_back(name, at::stack(rows));
  }
  return result;
}

Result FakeForward::scored(const Step& step) const {
  std::vector<at::Tensor> rows;
  bool is_hidden_wanted = false;
  for (const Slice& slice : step.slices) {
    is_hidden_wanted |= slice.sequence->want.hidden;
    const std::int64_t end = slice.begin + slice.count;
    for (std::int64_t at = end - slice.outs; at < end; ++at) {
      const auto scores = scores_after(*slice.sequence, at + 1);
      auto row =
          at::empty({static_cast<std::int64_t>(scores.size())}, at::kFloat);
      std::copy(scores.begin(), scores.end(), row.mutable_data_ptr<float>());
      rows.push_back(std::move(row));
    }
  }
  Result result;
  if (rows.empty()) return result;
  const at::Tensor all = at::stack(rows);
  result.scores = fill_scores(all, step);
  if (is_hidden_wanted) result.scores.hidden = all;
  return result;
}

bool FakeDecode::is_scripted(const Sequence& sequence) const {
  return !given_.decoded.empty() && sequence.item->index == 0;
}

void FakeDecode::start(Sequence& sequence) {
  if (!has_scores_ || sequence.tokens.empty()) return;
  sequence.want.from = 0;
  sequence.want.full = true;
  sequence.want.top = 1;
}

void FakeDecode::decode(const Step& step, const Result& picked,
                        std::vector<Next>& out) {
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    Next& next = out.emplace_back();
    next.slice = i;
    if (is_scripted(*slice.sequence)) {
      next.emit = given_.decoded;
      next.finish = next.emit.back().finish == Finish::kNo
                        ? Finish::kEnd
                        : next.emit.back().finish;
      continue;
    }
    if (!has_scores_ || slice.sequence->tokens.empty()) {
      next.finish = Finish::kEnd;
      continue;
    }
    const at::Tensor best = picked.scores.ids.cpu();
    const auto id = best[slice.out + slice.outs - 1][0].item<std::int64_t>();
    next.tokens = {id};
    next.emit.emplace_back().tokens = {id};
    next.want = slice.sequence->want;
    next.want->from = kLast;
    if (slice.sequence->generated() + 1 >= given_.new_tokens) {
      next.finish = Finish::kLength;
    }
  }
}

namespace {

class NoWriter final : public Writer {
 public:
  bool write(const Decoded& /*decoded*/, OutputSink& /*out*/) override {
    return true;
  }
  void end(OutputSink& /*out*/) override {}
};

}  // namespace

std::unique_ptr<Writer> FakePostprocess::begin(
    const Request& /*request*/) const {
  return std::make_unique<NoWriter>();
}

}  // namespace penstock::testing
