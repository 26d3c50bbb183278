#include "src/my_decode.h"

#include <algorithm>
#include <utility>

#include "penstock/keys.h"

namespace my_plugin {

using penstock::Finish;
using penstock::Next;
using penstock::Slice;

void MyDecodeStage::declare(penstock::Declaration<MyDecodeStage>& d) {
  d.doc("Takes the best token")
      .input("scores: f32[R,V]")
      .output("tokens: i64[N]")
      .uses(penstock::kEosIds)
      .light();
  d.param("max_new_tokens", &Params::max_new_tokens, "then the answer ends")
      .range(1, 1 << 20)
      .per_request();
}

void MyDecodeStage::open(penstock::StageContext& context) {
  eos_ids_ = penstock::get_or(context.facts, penstock::kEosIds, {});
}

void MyDecodeStage::start(penstock::Sequence& sequence) {
  // Said before the step, so that the model computes no more than that.
  sequence.want.top = 1;
}

void MyDecodeStage::decode(const penstock::Step& step,
                           const penstock::Result& picked,
                           std::vector<Next>& out) {
  const auto best = picked.scores.ids.cpu();  // [scored positions, 1]
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;  // a part of a long prompt
    const auto& params =
        penstock::params<Params>(*this, *slice.sequence->item->request);
    const auto id = best[slice.out][0].item<std::int64_t>();
    Next next;
    next.slice = i;
    next.tokens = {id};
    next.emit.emplace_back().tokens = {id};
    if (std::find(eos_ids_.begin(), eos_ids_.end(), id) != eos_ids_.end()) {
      next.finish = Finish::kStopId;
    } else if (slice.sequence->generated() + 1 >= params.max_new_tokens) {
      next.finish = Finish::kLength;
    }
    out.push_back(std::move(next));
  }
}

}  // namespace my_plugin
