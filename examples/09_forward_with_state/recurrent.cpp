// A model with weights and a state for each sequence: a recurrent network of
// one layer over bytes. After each token its state is
//
//   h = tanh(embedding[token] + recurrence · h)
//
// and the scores of the next token are output · h.
//
// What makes it a Forward that the loop can use is at the end of forward(): it
// computes tokens [begin, begin + count) of each slice on top of the state in
// the slice's slot, which holds those before, and gives a row of scores for
// each of the last `outs` of them.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmv.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/plugin.h"
#include "penstock/weights.h"

namespace {

using penstock::Caps;
using penstock::Declaration;
using penstock::Layout;
using penstock::Result;
using penstock::Slice;
using penstock::StageContext;
using penstock::Step;

constexpr std::int64_t kBytes = 256;
constexpr std::int64_t kEnd = 0;  ///< a NUL ends an answer

/// A matrix of the file as it is needed; a wrong shape is an error that names
/// the file, the tensor and both shapes.
at::Tensor matrix(const penstock::WeightFile& file, const std::string& name,
                  std::int64_t rows, std::int64_t columns) {
  const penstock::WeightTensor& found = file.at(name, {rows, columns});
  auto out = at::empty({rows, columns}, at::kFloat);
  penstock::dequantize(
      found, 0, rows,
      {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out;
}

class Recurrent final : public penstock::Forward {
 public:
  struct Params {
    std::int64_t width = 16;
  };
  static void declare(Declaration<Recurrent>& d) {
    d.doc("A recurrent network of one layer over bytes")
        .input("tokens: i64[T]")
        .output("scores: f32[R,V]")
        .layouts({Layout::kPacked, Layout::kPadded})
        .makes(penstock::kVocabSize, penstock::kEosIds);
    d.param("width", &Params::width, "numbers of a state").range(1, 4096);
  }
  explicit Recurrent(const Params& params) : width_(params.width) {}

  void open(StageContext& context) override {
    const auto file = penstock::WeightFile::open(context.model);
    embedding_ = matrix(file, "embedding", kBytes, width_);
    recurrence_ = matrix(file, "recurrence", width_, width_);
    output_ = matrix(file, "output", kBytes, width_);
    states_.assign(static_cast<std::size_t>(context.slots), fresh());
    set(context.facts, penstock::kVocabSize, kBytes);
    set(context.facts, penstock::kEosIds, {kEnd});
  }

  /// A state cannot forget single tokens: `rollback` stays 0, and where tokens
  /// are taken back the runtime releases the slot and replays the rest.
  [[nodiscard]] Caps caps() const override {
    return {.slots = static_cast<int>(states_.size()),
            .can_copy = true,
            .can_chunk = true};
  }
  void release(int slot) noexcept override {
    states_[static_cast<std::size_t>(slot)] = fresh();
  }
  void copy(int from, int to) override {
    states_[static_cast<std::size_t>(to)] =
        states_[static_cast<std::size_t>(from)].clone();
  }
  [[nodiscard]] std::int64_t state_bytes(int /*slot*/) const override {
    return width_ * static_cast<std::int64_t>(sizeof(float));
  }

  [[nodiscard]] Result forward(const Step& step) override {
    const penstock::SerialOps serial;  // small matrices: one thread is faster
    std::vector<at::Tensor> scored;
    for (const Slice& slice : step.slices) {
      const int slot = slice.sequence->slot;
      // Without slots every slice begins at 0: the loop without a cache, which
      // tests hold the one with a cache against.
      at::Tensor state = slot < 0 || states_.empty()
                             ? fresh()
                             : states_.at(static_cast<std::size_t>(slot));
      const std::int64_t end = slice.begin + slice.count;
      for (std::int64_t at = slice.begin; at < end; ++at) {
        state = next(state, slice.sequence->token(at));
        if (at >= end - slice.outs) scored.push_back(state);
      }
      if (slot >= 0 && !states_.empty()) {
        states_.at(static_cast<std::size_t>(slot)) = state;
      }
    }
    Result result;
    if (scored.empty()) return result;
    // Once for all sequences: the largest product of most models.
    const auto scores = at::stack(scored).matmul(output_.t());
    result.scores = penstock::fill_scores(scores, step);
    return result;
  }

 private:
  [[nodiscard]] at::Tensor fresh() const {
    return at::zeros({width_}, at::kFloat);
  }
  [[nodiscard]] at::Tensor next(const at::Tensor& state,
                                std::int64_t token) const {
    if (token < 0 || token >= kBytes) {
      throw penstock::Error(penstock::Code::kData,
                            penstock::str("token id ", token, " is no byte"));
    }
    return at::addmv(embedding_[token], recurrence_, state).tanh();
  }

  std::int64_t width_;
  at::Tensor embedding_, recurrence_, output_;
  std::vector<at::Tensor> states_;  ///< by slot
};

}  // namespace

PENSTOCK_PLUGIN(recurrent, registry) { registry.add<Recurrent>("forward"); }
