#include "runtime/boundary.h"

#include <algorithm>
#include <iterator>

#include "penstock/dtype.h"
#include "penstock/keys.h"

namespace penstock {
namespace {

[[noreturn]] void fail(const std::string& text, Code code = Code::kInternal) {
  throw Error(code, text);
}

void check_shape(const at::Tensor& tensor, const std::string& name,
                 std::int64_t rows, std::int64_t width) {
  const bool is_whole = tensor.defined() && tensor.dim() == 2 &&
                        tensor.size(0) == rows && tensor.size(1) >= width;
  if (is_whole && tensor.scalar_type() == at::kLong) return;
  fail(str("'", name, "' is ", tensor_type(tensor), ", but ", name, ": i64[",
           rows, ",", width, "] holds the step's tokens"));
}

/// What the model tells of itself; kAll where it does not.
std::int64_t limit_of(const Notes& facts, const Fact<std::int64_t>& key) {
  const auto found = facts.find(key.name);
  if (found == facts.end()) return kAll;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  if (value == nullptr) {
    fail(str("the fact '", key.name,
             "' is no integer: write std::int64_t{...}"));
  }
  return *value > 0 ? *value : kAll;
}

}  // namespace

Boundary::Boundary(const PipelineFile& file)
    : forward_in_(boundary::tensor_ports(file.forward.spec->inputs)),
      forward_out_(boundary::tensor_ports(file.forward.spec->outputs)),
      decode_out_(boundary::tensor_ports(file.decode.spec->outputs)),
      layout_(file.batch.spec->layouts.front()),
      forward_name_(file.forward.spec->name),
      takes_tokens_(boundary::has_tokens(file.forward.spec->inputs)) {
  std::copy_if(forward_in_.begin(), forward_in_.end(),
               std::back_inserter(collated_),
               [](const auto& port) { return port.shape.has_batch; });
  for (const StageConfig& stage : file.preprocess) {
    preprocess_.push_back(boundary::tensor_ports(stage.spec->outputs));
  }
}

void Boundary::ends_after(StageKind last) {
  if (last < StageKind::kForward) forward_out_.clear();
  if (last < StageKind::kDecode) decode_out_.clear();
}

void Boundary::opened(const Notes& facts, at::Device device) {
  device_ = device;
  vocab_ = limit_of(facts, kVocabSize);
  context_ = limit_of(facts, kContextLength);
}

void Boundary::check_tokens(const Tokens& tokens, Code code) const {
  for (const std::int64_t id : tokens) {
    if (id >= 0 && id < vocab_) continue;
    fail(str("token id ", id, " is not in the model's vocabulary",
             vocab_ == kAll ? "" : str(" of ", vocab_)),
         code);
  }
}

void Boundary::check_want(const Want& want) const {
  if (want.from < kNone) {
    fail(str("Want::from is ", want.from,
             ", expected a position, kLast or kNone"));
  }
  if (want.top < 0 || want.top > vocab_) {
    fail(str("Want::top is ", want.top, ", expected 0 to ",
             vocab_ == kAll ? "the vocabulary's size" : str(vocab_)));
  }
  for (const std::int64_t id : want.ids) {
    if (id >= 0 && id < vocab_) continue;
    fail(str("Want::ids has ", id, ", which is not in the model's vocabulary",
             vocab_ == kAll ? "" : str(" of ", vocab_)));
  }
  for (const auto& set : want.allowed) {
    if (!set) continue;
    if (set->is_empty()) {
      fail("Want::allowed has a set without tokens; finish the sequence");
    }
    if (set->last() < vocab_) continue;
    fail(str("Want::allowed has ", set->last(),
             ", which is not in the model's vocabulary of ", vocab_));
  }
}

void Boundary::pushed(std::size_t place, const Item& item) const {
  boundary::check(preprocess_.at(place), item.inputs, {});
  for (const auto& [name, tensor] : item.inputs) {
    boundary::check_device(name, tensor, at::kCPU);
  }
  if (item.width < 1) {
    fail(str("Item::width is ", item.width, ", expected 1 or more"));
  }
  check_tokens(item.tokens, Code::kData);
  if (place + 1 < preprocess_.size()) return;
  boundary::check_all_there(forward_in_, item.inputs,
                            "what " + forward_name_ + " takes");
  if (takes_tokens_ && item.tokens.empty()) {
    fail(str("the item has no tokens, but ", forward_name_,
             " needs one at least; is the text empty?"),
         Code::kData);
  }
}

void Boundary::started(const Sequence& sequence) const {
  if (sequence.tokens != sequence.item->tokens) {
    fail(
        "Decode::start() changed the sequence's tokens, which the runtime "
        "keeps; "
        "say in a Next what becomes of them");
  }
  check_tokens(sequence.draft, Code::kInternal);
  check_want(sequence.want);
}

void Boundary::planned(const Slice& slice, std::int64_t most) {
  const bool has_more = slice.sequence->length() > slice.sequence->cached;
  if (slice.count < (has_more ? 1 : 0)) {
    fail(str("the plan gives a sequence ", slice.count,
             " tokens; expected 1 or more"));
  }
  const std::int64_t left = slice.sequence->length() - slice.sequence->cached;
  if (std::min(slice.count, left) > most) {
    fail(str("the plan gives a sequence ", std::min(slice.count, left),
             " tokens in one step, more than its max_step_tokens() of ", most));
  }
}

void Boundary::collated(const Step& step) const {
  const auto sequences = static_cast<std::int64_t>(step.slices.size());
  const Tensors& made = step.inputs;
  if (layout_ == Layout::kStacked) {
    // Later steps of a sequence need not show what the first has shown.
    const bool is_first = std::all_of(
        step.slices.begin(), step.slices.end(),
        [](const Slice& slice) { return slice.sequence->is_fresh; });
    if (!is_first) return boundary::check({}, made, {});
    boundary::check(forward_in_, made, sequences);
    boundary::check_all_there(collated_, made,
                              "what " + forward_name_ + " takes");
    return;
  }
  boundary::check({}, made, {});
  if (!takes_tokens_) return;
  std::int64_t sum = 0;
  std::int64_t most = 0;
  for (const Slice& slice : step.slices) {
    sum += slice.count;
    most = std::max(most, slice.count);
  }
  if (layout_ == Layout::kPadded) {
    check_shape(get(made, "input_ids"), "input_ids", sequences, most);
    check_shape(get(made, "attention_mask"), "attention_mask", sequences, most);
    return;
  }
  const at::Tensor& tokens = get(made, "tokens");
  if (tokens.dim() == 1 && tokens.size(0) == sum &&
      tokens.scalar_type() == at::kLong) {
    return;
  }
  fail(str("'tokens' is ", tensor_type(tokens), ", but tokens: i64[", sum,
           "] holds the step's"));
}

void Boundary::forwarded(const Step& step, const Result& result) const {
  boundary::check(forward_out_, result.out,
                  static_cast<std::int64_t>(step.slices.size()));
  if (step.outs() > 0) {
    boundary::check_all_there(forward_out_, result.out, "declared");
  }
  for (const auto& [name, tensor] : result.out) {
    boundary::check_device(name, tensor, device_);
  }
  check_scores(step, result.scores);
}

void Boundary::check_next(const Next& next) const {
  if (next.keep < 0) {
    fail(str("Next::keep is ", next.keep, ", expected 0 or more, or kAll"));
  }
  if (next.branch < -1) {
    fail(str("Next::branch is ", next.branch, ", expected 0 or more, or -1"));
  }
  check_tokens(next.tokens, Code::kInternal);
  check_tokens(next.draft, Code::kInternal);
  boundary::check({}, next.inputs, {});
  if (next.want) check_want(*next.want);
  for (const Decoded& decoded : next.emit) {
    boundary::check(decode_out_, decoded.tensors, {});
    if (decoded.tensors.empty()) continue;
    boundary::check_all_there(decode_out_, decoded.tensors, "declared");
  }
}

void Boundary::decided(std::vector<Next>& nexts) const {
  for (Next& next : nexts) {
    if (next.error) continue;
    try {
      check_next(next);
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

void Boundary::grown(const Sequence& sequence, const Next& next) const {
  if (next.finish != Finish::kNo) return;
  const auto size = [](const Tokens& tokens) {
    return static_cast<std::int64_t>(tokens.size());
  };
  const std::int64_t length = std::min(size(sequence.tokens), next.keep) +
                              size(next.tokens) + size(next.draft);
  if (length <= context_) return;
  fail(str("decode makes a sequence of ", length,
           " tokens, but the model's context ", "holds ", context_,
           "; finish it with Finish::kLength"));
}

}  // namespace penstock
