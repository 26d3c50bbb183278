#include "src/my_forward.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/weights.h"

namespace my_plugin {
namespace {

constexpr std::int64_t kBytes = 256;

/// A matrix of the file in floats, whatever it is stored as. Another shape is
/// an error that names the file, the tensor and both shapes.
at::Tensor matrix(const penstock::WeightFile& file, const std::string& name,
                  std::int64_t rows, std::int64_t columns) {
  const penstock::WeightTensor& found = file.at(name, {rows, columns});
  auto out = at::empty({rows, columns}, at::kFloat);
  penstock::dequantize(
      found, 0, rows,
      {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out;
}

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

/// Before anything is loaded: for `pipeline-run --check --memory`.
penstock::Footprint MyForwardStage::memory(
    const penstock::StageContext& context) const {
  if (context.model.empty()) return {};
  return {.bytes = kBytes * kBytes * 4};
}

void MyForwardStage::open(penstock::StageContext& context) {
  if (!context.model.empty()) {
    const auto file = penstock::WeightFile::open(context.model);
    follows_ = matrix(file, "follows", kBytes, kBytes);
  }
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
      if (follows_.defined()) {
        const std::int64_t token = slice.sequence->token(at);
        std::copy_n(follows_.const_data_ptr<float>() + token * kBytes, kBytes,
                    row);
      } else {
        row[guess(*slice.sequence, at)] = 1;
      }
      row += kBytes;
    }
  }
  penstock::Result result;
  result.scores = penstock::fill_scores(scores, step);
  return result;
}

}  // namespace my_plugin
