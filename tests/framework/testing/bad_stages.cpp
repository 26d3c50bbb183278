// A plugin whose stages break their word, each in one way.
#include "penstock/plugin.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <atomic>
#include <numeric>

#include "penstock/keys.h"

namespace penstock::testing {
namespace {

struct None {};

/// Sets a note that it does not declare.
class Undeclared final : public Preprocess {
 public:
  using Params = None;
  static void declare(Declaration<Undeclared>& d) { d.doc("undeclared note"); }
  explicit Undeclared(const Params& /*params*/) {}
  void preprocess(const Request& /*request*/, Item in,
                  ItemSink& out) const override {
    set(in.notes, kText, "x");
    out.push(std::move(in));
  }
};

/// Pushes another shape than it declares.
class WrongShape final : public Preprocess {
 public:
  using Params = None;
  static void declare(Declaration<WrongShape>& d) {
    d.doc("another shape").output("pixels: f32[3,4]");
  }
  explicit WrongShape(const Params& /*params*/) {}
  void preprocess(const Request& /*request*/, Item in,
                  ItemSink& out) const override {
    in.inputs = {{"pixels", at::zeros({3, 5})}};
    out.push(std::move(in));
  }
};

/// Never comes to an end.
class Idle final : public Decode {
 public:
  using Params = None;
  static void declare(Declaration<Idle>& d) {
    d.doc("makes no progress").input("scores: f32[R,V]");
  }
  explicit Idle(const Params& /*params*/) {}
  void decode(const Step& step, const Result& /*picked*/,
              std::vector<Next>& out) override {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      out.emplace_back().slice = i;
    }
  }
};

/// Counts its requests, and tells.
class Counts final : public Preprocess {
 public:
  using Params = None;
  static void declare(Declaration<Counts>& d) { d.doc("counts requests"); }
  explicit Counts(const Params& /*params*/) {}
  void preprocess(const Request& /*request*/, Item in,
                  ItemSink& out) const override {
    in.tokens = {++count_};
    out.push(std::move(in));
  }

 private:
  mutable std::atomic<std::int64_t> count_ = 0;
};

/// Scores as many sequences as there are in the step.
class Neighbours final : public Forward {
 public:
  using Params = None;
  static void declare(Declaration<Neighbours>& d) {
    d.doc("looks at its neighbours")
        .input("tokens: i64[T]")
        .output("scores: f32[R,V]")
        .layouts({Layout::kPacked});
  }
  explicit Neighbours(const Params& /*params*/) {}
  [[nodiscard]] Caps caps() const override { return {}; }
  [[nodiscard]] Result forward(const Step& step) override {
    Result result;
    const auto scores =
        at::zeros({step.outs(), 2}) + static_cast<double>(step.slices.size());
    result.scores = fill_scores(scores, step);
    return result;
  }
};

/// Scores the sum of the tokens so far, kept by slot.
class Sums final : public Forward {
 public:
  struct Params {
    bool cuts = false;
  };
  static void declare(Declaration<Sums>& d) {
    d.doc("sums tokens; may forget to cut")
        .input("tokens: i64[T]")
        .output("scores: f32[R,V]")
        .layouts({Layout::kPacked});
    d.param("cuts", &Params::cuts, "whether truncate() does its work");
  }
  explicit Sums(const Params& params) : params_(params) {}
  void open(StageContext& context) override {
    slots_.resize(static_cast<std::size_t>(context.slots));
  }
  [[nodiscard]] Caps caps() const override {
    return {.slots = static_cast<int>(slots_.size()),
            .rollback = kAll,
            .can_chunk = true};
  }
  [[nodiscard]] Result forward(const Step& step) override {
    auto scores = at::zeros({step.outs(), 2});
    for (const Slice& slice : step.slices) {
      Tokens own;
      const int slot = slice.sequence->slot;
      Tokens& held =
          slots_.empty() ? own : slots_[static_cast<std::size_t>(slot)];
      for (std::int64_t i = 0; i < slice.count; ++i) {
        held.push_back(slice.sequence->token(slice.begin + i));
        const std::int64_t out = i - slice.count + slice.outs;
        if (out < 0) continue;
        scores[slice.out + out][0] = static_cast<double>(
            std::accumulate(held.begin(), held.end(), std::int64_t{0}));
      }
    }
    Result result;
    result.scores = fill_scores(scores, step);
    return result;
  }
  void release(int slot) noexcept override {
    slots_[static_cast<std::size_t>(slot)].clear();
  }
  void truncate(int slot, std::int64_t length) override {
    if (!params_.cuts) return;
    slots_[static_cast<std::size_t>(slot)].resize(
        static_cast<std::size_t>(length));
  }

 private:
  Params params_;
  std::vector<Tokens> slots_;
};

}  // namespace
}  // namespace penstock::testing

PENSTOCK_PLUGIN(bad, registry) {
  registry.add<penstock::testing::Undeclared>("undeclared");
  registry.add<penstock::testing::WrongShape>("wrong_shape");
  registry.add<penstock::testing::Idle>("idle");
  registry.add<penstock::testing::Counts>("counts");
  registry.add<penstock::testing::Neighbours>("neighbours");
  registry.add<penstock::testing::Sums>("sums");
}
