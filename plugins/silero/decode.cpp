#include "silero/decode.h"

namespace penstock::silero {

void SileroDecode::declare(Declaration<SileroDecode>& d) {
  d.doc("Hands on how likely speech is, until the sound ends")
      .input("probabilities: f32[B,W]")
      .input("count: i64[B]")
      .input("left: i64[B]")
      .output("probabilities: f32[N]")
      .light();
}

void SileroDecode::decode(const Step& step, const Result& picked,
                          std::vector<Next>& out) {
  const at::Tensor& all = get(picked.out, "probabilities");
  const auto* count = get(picked.out, "count").const_data_ptr<std::int64_t>();
  const auto* left = get(picked.out, "left").const_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next next;
    next.slice = i;
    next.emit.emplace_back().tensors = {
        {"probabilities",
         all[static_cast<std::int64_t>(i)].narrow(0, 0, count[i])}};
    if (left[i] == 0) next.finish = Finish::kEnd;
    out.push_back(std::move(next));
  }
}

}  // namespace penstock::silero
