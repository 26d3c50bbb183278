#include "src/my_forward.h"

#include <ATen/ops/zeros.h>

#include "penstock/keys.h"
#include "penstock/parallel.h"

namespace my_plugin {
namespace {

constexpr std::int64_t kBytes = 256;

/// What followed token `at` the last time that it came, or that token again.
std::int64_t guess(const penstock::Sequence& sequence, std::int64_t at) {
  const std::int64_t token = sequence.token(at);
  for (std::int64_t i = at - 1; i >= 0; --i) {
    if (sequence.token(i) == token) return sequence.token(i + 1);
  }
  return token;
}

}  // namespace

void MyForwardStage::declare(penstock::Declaration<MyForwardStage>& d) {
  d.doc("A model of bytes: what followed a token follows it again")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({penstock::Layout::kPacked, penstock::Layout::kPadded})
      .makes(penstock::kVocabSize);
}

void MyForwardStage::open(penstock::StageContext& context) {
  penstock::set(context.facts, penstock::kVocabSize, kBytes);
}

penstock::Caps MyForwardStage::caps() const { return {}; }

penstock::Result MyForwardStage::forward(const penstock::Step& step) {
  // Few numbers: a team of threads would cost more than it gives.
  const penstock::SerialOps serial;
  auto scores = at::zeros({step.outs(), kBytes}, at::kFloat);
  auto* row = scores.mutable_data_ptr<float>();
  for (const penstock::Slice& slice : step.slices) {
    const std::int64_t end = slice.begin + slice.count;
    for (std::int64_t at = end - slice.outs; at < end; ++at) {
      row[guess(*slice.sequence, at)] = 1;
      row += kBytes;
    }
  }
  penstock::Result result;
  result.scores = penstock::fill_scores(scores, step);
  return result;
}

}  // namespace my_plugin
