// The uses with inputs other than text: models without tokens, encoders,
// pictures beside words, states that Decode sets, feeds.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One picture a sequence, stacked: no tokens, no state, one step.
Tensors stack_pixels(std::span<const Slice> slices) {
  std::vector<at::Tensor> pixels;
  for (const Slice& slice : slices) {
    pixels.push_back(get(slice.sequence->item->inputs, "pixels"));
  }
  return {{"pixels", at::stack(pixels)}};
}

void end_with_logits(const Step& step, const Result& result,
                     std::vector<Next>& out) {
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next next;
    next.slice = i;
    next.emit.emplace_back().tensors = {
        {"value", get(result.out, "logits")[static_cast<std::int64_t>(i)]}};
    next.finish = Finish::kEnd;
    out.push_back(std::move(next));
  }
}

Stages pictures() {
  Stages stages;
  stages.preprocess = {[](const Request& request, Item in, ItemSink& out) {
    const std::string text = text_input(request);
    if (text == "broken") throw Error(Code::kData, "not a picture");
    in.inputs = {{"pixels", at::full({2, 2}, std::stof(text))}};
    out.push(std::move(in));
  }};
  stages.collate = stack_pixels;
  stages.forward = [](const Step& step) {
    return Result{.out = {{"logits", get(step.inputs, "pixels").sum({1, 2})}},
                  .scores = {}};
  };
  stages.decode = end_with_logits;
  stages.write = emit_tensor;
  return stages;
}

/// Ten thousand files, one of them broken: it fails alone, the order stays.
TEST(Uses, ManyFilesOfWhichOneIsBroken) {
  Stages stages = pictures();
  stages.max_sequences = 16;
  std::vector<std::string> texts;
  texts.reserve(500);
  for (int i = 0; i < 500; ++i) texts.push_back(std::to_string(i));
  texts[123] = "broken";
  const auto got = run(stages, texts);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].report.error.has_value(), i == 123) << i;
    if (i == 123) {
      EXPECT_EQ(got[i].report.error->code(), Code::kData);
    } else {
      EXPECT_EQ(number(values(got[i]).at(0)), 4 * static_cast<float>(i));
    }
  }
}

/// Speech recognition: the encoder sees the inputs with the first slice only,
/// and a retry keeps them.
TEST(Uses, AnEncoderRunsOncePerSample) {
  Stages stages;
  stages.caps = {
      .slots = 4, .rollback = kAll, .can_copy = true, .can_chunk = true};
  stages.preprocess = {[](const Request& request, Item in, ItemSink& out) {
    in.tokens = {1};
    in.inputs = {{"mel", at::full({3}, std::stof(text_input(request)))}};
    out.push(std::move(in));
  }};
  int encoded = 0;
  std::map<int, float> states;
  stages.forward = [&](const Step& step) {
    for (const Slice& slice : step.slices) {
      if (!slice.sequence->is_fresh) continue;
      ++encoded;
      states[slice.sequence->slot] =
          get(slice.sequence->item->inputs, "mel").sum().item<float>();
    }
    return full_scores(
        scores(step, [&](const Slice& slice, std::int64_t, std::int64_t v) {
          return v == static_cast<std::int64_t>(states[slice.sequence->slot])
                     ? 1.0F
                     : 0.0F;
        }));
  };
  stages.start = [](Sequence& sequence) { sequence.want.full = true; };
  std::map<const Sequence*, int> tries;
  stages.decode = [&](const Step& step, const Result& result,
                      std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      Sequence& sequence = *step.slices[i].sequence;
      Next next;
      next.slice = i;
      if (sequence.generated() == 2 && tries[&sequence]++ == 0) {
        next.keep = 1;  // another temperature: again from the prompt
      } else {
        const auto last = step.slices[i].out + step.slices[i].outs - 1;
        next.tokens = {result.scores.full[last].argmax().item<std::int64_t>()};
        if (sequence.generated() == 2) {
          next.finish = Finish::kStop;
          next.emit.emplace_back().tokens = sequence.tokens;
        }
      }
      out.push_back(std::move(next));
    }
  };
  const auto got = run(stages, {"2", "4"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_THAT(texts(got[0]), ElementsAre("1 6 6 "));
  EXPECT_THAT(texts(got[1]), ElementsAre("1 12 12 "));
  EXPECT_EQ(encoded, 2);
}

/// Diffusion: what pick() computed is the next step's input; no tokens at all.
TEST(Uses, DiffusionFeedsItsLatentsBack) {
  Stages stages;
  stages.next_inputs = {parse_port("latents: f32[N]")};
  stages.preprocess = {[](const Request& request, Item in, ItemSink& out) {
    in.inputs = {{"latents", at::full({2}, std::stof(text_input(request)))}};
    out.push(std::move(in));
  }};
  const auto latents = [](const Sequence& sequence) {
    const at::Tensor* own = find(sequence.inputs, "latents");
    return own != nullptr ? *own : get(sequence.item->inputs, "latents");
  };
  stages.collate = [&](std::span<const Slice> slices) {
    std::vector<at::Tensor> all;
    for (const Slice& slice : slices) all.push_back(latents(*slice.sequence));
    return Tensors{{"latents", at::stack(all)}};
  };
  stages.forward = [](const Step& step) {
    return Result{.out = {{"noise", get(step.inputs, "latents") / 2}},
                  .scores = {}};
  };
  stages.pick = [](const Step& step, Result result) {
    result.out = {
        {"latents", get(step.inputs, "latents") - get(result.out, "noise")}};
    return result;
  };
  std::map<const Item*, int> steps;
  stages.decode = [&](const Step& step, const Result& picked,
                      std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const auto now = get(picked.out, "latents")[static_cast<std::int64_t>(i)];
      Next next;
      next.slice = i;
      next.inputs = {{"latents", now}};
      if (++steps[step.slices[i].sequence->item] == 4) {
        next.finish = Finish::kEnd;
        next.emit.emplace_back().tensors = {{"value", now}};
      }
      out.push_back(std::move(next));
    }
  };
  stages.write = emit_tensor;
  const auto got = run(stages, {"16", "32"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_EQ(number(values(got[0]).at(0)), 1);
  EXPECT_EQ(number(values(got[1]).at(0)), 2);
}

/// A picture and its text: a list of stages, each given what the one before
/// pushed, so that the text's knows how many places the picture takes.
TEST(Uses, APictureAndWordsMakeOneSample) {
  static constexpr Note<std::int64_t> kPlaces{"places"};
  Stages stages;
  stages.notes = {spec_of(kPlaces)};
  stages.preprocess = {
      [](const Request&, Item in, ItemSink& out) {
        in.inputs = {{"pixels", at::ones({3, 4})}};
        set(in.notes, kPlaces, 3);
        out.push(std::move(in));
      },
      [](const Request& request, Item in, ItemSink& out) {
        in.tokens.assign(static_cast<std::size_t>(get(in.notes, kPlaces)), 20);
        in.tokens.push_back(std::stol(text_input(request)));
        out.push(std::move(in));
      }};
  stages.start = [](Sequence& sequence) { sequence.want.hidden = true; };
  stages.forward = [](const Step& step) {
    auto hidden = at::zeros({step.outs(), 1});
    for (const Slice& slice : step.slices) {
      hidden[slice.out][0] =
          static_cast<double>(slice.count) +
          get(slice.sequence->item->inputs, "pixels").sum().item<double>();
    }
    return hidden_states(hidden);
  };
  stages.decode = [](const Step& step, const Result& result,
                     std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      Next next;
      next.slice = i;
      next.emit.emplace_back().tensors = {
          {"value", result.scores.hidden[step.slices[i].out]}};
      next.finish = Finish::kEnd;
      out.push_back(std::move(next));
    }
  };
  stages.write = emit_tensor;
  const auto got = run(stages, {"7"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_EQ(number(values(got[0]).at(0)), 16);  // 3 places, a word, 12 pixels
}

/// One pipeline's values are the next one's requests, on one engine thread.
TEST(Uses, PipelinesCompose) {
  Stages first = pictures();
  Stages second = pictures();
  Runner last(file(second));
  const auto end = std::make_shared<Collector>();
  {
    Runner runner(file(first));
    runner.submit(fakes::request("a", "2"), [&](const Value& value, int) {
      last.submit(fakes::request("a", str(number(value))), end);
    });
    runner.drain();
  }
  EXPECT_EQ(number(values(end->wait()).at(0)), 32);
}

}  // namespace
}  // namespace penstock::uses
