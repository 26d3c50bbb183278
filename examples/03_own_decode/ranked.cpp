// A decode stage: always the token of one rank, the best, the second best, ...
// Forward gives it the best few scores of the last position and nothing else.
#include "penstock/plugin.h"

namespace {

using namespace penstock;  // NOLINT(google-build-using-namespace): an example

class Ranked final : public Decode {
 public:
  struct Params {
    std::int64_t rank = 1;
    std::int64_t max_new_tokens = 16;
  };
  static void declare(Declaration<Ranked>& d) {
    d.doc("Takes the token of one rank, whatever its score")
        .input("scores: f32[R,V]")
        .output("tokens: i64[N]");
    d.param("rank", &Params::rank, "1: the best").range(1, 64);
    d.param("max_new_tokens", &Params::max_new_tokens, "then the answer ends")
        .range(1, 1 << 20);
  }
  explicit Ranked(const Params& params) : params_(params) {}

  void start(Sequence& sequence) override { sequence.want.top = params_.rank; }

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override {
    const auto ids = picked.scores.ids.cpu();  // [R, most wanted]
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const Slice& slice = step.slices[i];
      if (slice.outs == 0) continue;  // a part of a long prompt
      const auto id = ids[slice.out][params_.rank - 1].item<std::int64_t>();
      Next next;
      next.slice = i;
      next.tokens = {id};
      next.emit.emplace_back().tokens = {id};
      if (slice.sequence->generated() + 1 >= params_.max_new_tokens) {
        next.finish = Finish::kLength;
      }
      out.push_back(std::move(next));
    }
  }

 private:
  Params params_;
};

}  // namespace

PENSTOCK_PLUGIN(ranked, registry) { registry.add<Ranked>("ranked"); }
