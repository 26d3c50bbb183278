#include "tests/plugins/gemma/cuda/ahead_host.h"

#include <algorithm>

#include "penstock/error.h"
#include "penstock/random.h"
#include "penstock/testing/conformance.h"

namespace penstock::gemma::cuda {
namespace {

constexpr std::int64_t kVocab = 576;
constexpr std::int64_t kContext = 128;

/// The same in every run of a request, whatever else runs.
int hundredth(int number, const Sequence& sequence, int what) {
  const double random = uniform(static_cast<std::uint64_t>(number),
                                static_cast<std::uint64_t>(sequence.branch),
                                sequence.tokens.size(), what);
  return static_cast<int>(random * 100);
}

}  // namespace

AheadHost::AheadHost(Forward& forward)
    : forward_(forward), decode_(core::SampleParams()) {
  facts_["eos_ids"] = Tokens{1};
  facts_["context_length"] = kContext;
  facts_["vocab_size"] = kVocab;
  StageContext context{.device = at::kCPU,
                       .model = "",
                       .slots = 1,
                       .threads = 1,
                       .max_step_tokens = 0,
                       .facts = facts_};
  decode_.open(context);
}

int AheadHost::add(Asked asked) {
  Asking& made = asked_.emplace_back();
  made.asked = std::move(asked);
  made.number = static_cast<int>(asked_.size()) - 1;
  auto request = std::make_shared<Request>();
  request->checked = {std::make_shared<core::SampleParams>(made.asked.params)};
  made.item.request = request;
  made.item.tokens = made.asked.prompt;
  return made.number;
}

int AheadHost::free_slot() const {
  const int slots = forward_.caps().slots;
  for (int slot = 0; slot < slots; ++slot) {
    const bool is_used =
        std::any_of(running_.begin(), running_.end(),
                    [&](const Running& r) { return r.sequence.slot == slot; });
    if (!is_used) return slot;
  }
  throw Error(Code::kInternal, "the test has too few slots");
}

void AheadHost::join() {
  for (Asking& each : asked_) {
    if (each.has_begun || each.asked.begin > steps_) continue;
    each.has_begun = true;
    Running joining{.of = &each, .sequence = {}};
    joining.sequence.item = &each.item;
    joining.sequence.tokens = each.item.tokens;
    joining.sequence.slot = free_slot();
    decode_.start(joining.sequence);
    held_[joining.sequence.slot].clear();
    running_.push_back(std::move(joining));
  }
}

Step AheadHost::make_step() {
  Step step;
  step.layout = Layout::kPacked;
  std::int64_t outs = 0;
  for (Running& each : running_) {
    Sequence& sequence = each.sequence;
    Slice slice{.sequence = &sequence,
                .count = sequence.length() - sequence.cached,
                .begin = sequence.cached,
                .out = outs};
    const std::int64_t end = slice.begin + slice.count;
    slice.outs = end - std::max(slice.begin, sequence.first_scored());
    outs += slice.outs;
    step.slices.push_back(slice);
  }
  step.inputs = testing::collate(Layout::kPacked, step.slices);
  return step;
}

bool AheadHost::step() {
  join();
  ++steps_;
  const auto waits = [](const Asking& each) { return !each.has_begun; };
  if (running_.empty()) return std::any_of(asked_.begin(), asked_.end(), waits);
  const Step step = make_step();
  const Result result = forward_.forward(step);
  std::vector<Next> nexts;
  decode_.decode(step, result, nexts);
  apply(step, nexts);
  return true;
}

AheadHost::Running& AheadHost::running_of(const Sequence& sequence) {
  return *std::find_if(
      running_.begin(), running_.end(),
      [&](const Running& each) { return &each.sequence == &sequence; });
}

void AheadHost::apply(const Step& step, std::vector<Next>& nexts) {
  for (const Slice& slice : step.slices) {
    Sequence& sequence = *slice.sequence;
    Tokens& held = held_[sequence.slot];
    for (std::int64_t i = slice.begin; i < slice.begin + slice.count; ++i) {
      held.push_back(sequence.token(i));
    }
    sequence.cached = slice.begin + slice.count;
    sequence.is_fresh = false;
  }
  std::vector<bool> has_answer(step.slices.size());
  std::vector<std::pair<Running*, Next*>> changes;
  for (Next& next : nexts) {
    if (next.error) std::rethrow_exception(next.error);
    Running& parent = running_of(*step.slices[next.slice].sequence);
    if (!has_answer[next.slice]) {
      has_answer[next.slice] = true;
      changes.emplace_back(&parent, &next);
      continue;
    }
    Running child = parent;
    child.sequence.slot = free_slot();
    forward_.copy(parent.sequence.slot, child.sequence.slot);
    held_[child.sequence.slot] = held_[parent.sequence.slot];
    running_.push_back(std::move(child));
    changes.emplace_back(&running_.back(), &next);
  }
  for (auto& [running, next] : changes) apply(*running, *next);
  std::erase_if(running_, [](const Running& each) { return each.is_over; });
}

void AheadHost::apply(Running& running, Next& next) {
  Sequence& sequence = running.sequence;
  if (next.branch >= 0) sequence.branch = next.branch;
  sequence.tokens.insert(sequence.tokens.end(), next.tokens.begin(),
                         next.tokens.end());
  sequence.draft = std::move(next.draft);
  if (next.want) sequence.want = *next.want;
  if (next.finish == Finish::kNo && !next.tokens.empty()) meddle(running);
  texts_[{running.of->number, sequence.branch}] = sequence.tokens;
  if (next.finish == Finish::kNo) {
    sync(running);
    return;
  }
  forward_.release(sequence.slot);
  running.is_over = true;
}

/// The sequence's tokens are the truth, whatever was said before.
void AheadHost::meddle(Running& running) {
  Sequence& sequence = running.sequence;
  if (!sequence.draft.empty()) return;
  const int number = running.of->number;
  const auto given = running.of->item.tokens.size();
  if (hundredth(number, sequence, 1) < running.of->asked.replaced) {
    sequence.tokens.back() = 300 + (sequence.tokens.back() + 1) % 100;
  }
  const std::size_t after = sequence.tokens.size() - given;
  // Once only at each length, else it would never end.
  if (after > 4 && after % 2 == 0 &&
      hundredth(number, sequence, 2) < running.of->asked.cut &&
      running.sequence.since == Time()) {
    sequence.tokens.resize(sequence.tokens.size() - 3);
    sequence.tokens.back() = 299;
    running.sequence.since = Time(std::chrono::seconds(1));
  }
}

void AheadHost::sync(Running& running) {
  Sequence& sequence = running.sequence;
  Tokens& held = held_[sequence.slot];
  const auto differs = std::mismatch(
      held.begin(), held.end(), sequence.tokens.begin(), sequence.tokens.end());
  const std::int64_t keep = std::min<std::int64_t>(
      differs.first - held.begin(), std::ssize(sequence.tokens) - 1);
  if (keep < sequence.cached) forward_.truncate(sequence.slot, keep);
  held.resize(static_cast<std::size_t>(keep));
  sequence.cached = keep;
}

}  // namespace penstock::gemma::cuda
