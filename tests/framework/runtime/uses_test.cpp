// What the interfaces are for, one use a test, each through the real runtime
// with stages of a few lines. Chunks, drafts, forks, the loop without a cache,
// cancelling and failing sequences are in batching_test, request_test,
// failure_test.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The value that the plain stages end with.
Next finish(std::size_t slice, Decoded what) {
  Next next;
  next.slice = slice;
  next.emit.push_back(std::move(what));
  next.finish = Finish::kEnd;
  return next;
}

Decoded tensor(const at::Tensor& value) {
  Decoded decoded;
  decoded.tensors = {{"value", value}};
  return decoded;
}

/// Greedy is led astray: 1 scores best at first, but what follows 2 is better.
float astray(std::int64_t last, std::int64_t token) {
  if (last == 0) return token == 1 ? 1.0F : token == 2 ? 0.9F : -9.0F;
  if (last == 1) return token == 3 ? 0.1F : -9.0F;
  if (last == 2) return token == 4 ? 5.0F : -9.0F;
  return token == 5 ? 0.0F : -9.0F;
}

/// Sums of scores, by item and tokens.
using Sums = std::map<const Item*, std::map<Tokens, float>>;

struct Beam {
  float sum;
  std::size_t slice;
  std::int64_t token;
};

std::vector<Beam> best_two(const Step& step, const Result& result, Sums& sums) {
  std::vector<Beam> all;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Sequence& sequence = *step.slices[i].sequence;
    const float before = sums[sequence.item][sequence.tokens];
    const auto row_scores = result.scores.full[step.slices[i].out];
    for (std::int64_t v = 0; v < fakes::kVocab; ++v) {
      all.push_back({before + row_scores[v].item<float>(), i, v});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Beam& a, const Beam& b) { return a.sum > b.sum; });
  all.resize(2);
  return all;
}

/// The sequence with the beam's token; the third token is the last.
Next extend(const Sequence& sequence, const Beam& beam, int branch,
            Sums& sums) {
  Next next;
  next.slice = beam.slice;
  next.branch = branch;
  next.tokens = {beam.token};
  Tokens whole = sequence.tokens;
  whole.push_back(beam.token);
  sums[sequence.item][whole] = beam.sum;
  if (sequence.generated() == 2) {
    next.finish = branch == 0 ? Finish::kLength : Finish::kDropped;
    if (branch == 0) {
      next.emit.emplace_back().tokens = {whole.begin() + 1, whole.end()};
    }
  }
  return next;
}

TEST(Uses, APreprocessTellsWhatIsNoError) {
  Stages stages;
  const auto one = [](const Request& /*request*/, Item in, ItemSink& out) {
    out.warn("it has no sound");
    in.tokens = {1};
    out.push(std::move(in));
  };
  const auto two = [](const Request& request, Item /*in*/, ItemSink& out) {
    out.warn("nor pictures: " + text_input(request));
  };
  stages.preprocess = {one, two};
  const auto ran = run(stages, {"1", "2"});
  for (std::size_t i = 0; i < ran.size(); ++i) {
    EXPECT_FALSE(ran[i].report.error);
    EXPECT_THAT(ran[i].report.warnings,
                ElementsAre("it has no sound",
                            "nor pictures: " + std::to_string(i + 1)));
  }
}

/// Beam search: all branches of an item meet in one call and permute.
TEST(Uses, BeamsKeepTheBestWholeSequences) {
  Stages stages;
  stages.max_sequences = 2;
  stages.preprocess = {[](const Request& request, Item in, ItemSink& out) {
    in.tokens = {std::stol(text_input(request))};
    in.width = 2;
    out.push(std::move(in));
  }};
  stages.forward = [](const Step& step) {
    return full_scores(
        scores(step, [](const Slice& slice, std::int64_t at, std::int64_t v) {
          return astray(slice.sequence->token(at), v);
        }));
  };
  stages.start = [](Sequence& sequence) { sequence.want.full = true; };
  Sums sums;
  stages.decode = [&](const Step& step, const Result& result,
                      std::vector<Next>& out) {
    const auto beams = best_two(step, result, sums);
    std::vector<int> children(step.slices.size());
    for (std::size_t b = 0; b < beams.size(); ++b) {
      const Beam& beam = beams[b];
      const Sequence& sequence = *step.slices[beam.slice].sequence;
      out.push_back(extend(sequence, beam, static_cast<int>(b), sums));
      ++children[beam.slice];
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (children[i] > 0) continue;
      Next lost;
      lost.slice = i;
      lost.finish = Finish::kDropped;
      out.push_back(std::move(lost));
    }
  };
  stages.write = [](const Decoded& decoded, OutputSink& out) {
    if (decoded.finish == Finish::kLength) {
      out.emit(fakes::text_of(decoded.tokens), 0, true);
    }
    return true;
  };
  const auto got = run(stages, {"0"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_THAT(texts(got[0]), ElementsAre("2 4 5 "));
}

/// Each sequence says before the step what it needs; Forward sees all at once.
TEST(Uses, RowsWantDifferentScoresInOneStep) {
  Stages stages;
  std::vector<std::int64_t> tops;
  stages.start = [](Sequence& sequence) {
    sequence.want.top = sequence.tokens[0];
    if (sequence.tokens[0] == 3) sequence.want.ids = {7, 9};
  };
  stages.forward = [&](const Step& step) {
    for (const Slice& slice : step.slices)
      tops.push_back(slice.sequence->want.top);
    return Result{
        .out = {},
        .scores = fill_scores(
            scores(step, [](const Slice&, std::int64_t,
                            std::int64_t v) { return static_cast<float>(v); }),
            step)};
  };
  stages.decode = [](const Step& step, const Result& result,
                     std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const bool has_ids = !step.slices[i].sequence->want.ids.empty();
      out.push_back(finish(
          i, tensor(has_ids ? result.scores.at[step.slices[i].out]
                            : result.scores.values[step.slices[i].out])));
    }
  };
  stages.write = emit_tensor;
  const auto got = run(stages, {"1", "3"});
  EXPECT_EQ(number(values(got[0]).at(0)), 23);
  EXPECT_EQ(number(values(got[1]).at(0), 0), 7);
  EXPECT_EQ(number(values(got[1]).at(0), 1), 9);
  EXPECT_THAT(tops, ::testing::UnorderedElementsAre(1, 3));
}

/// pick() is the half of Decode that stays on Forward's device.
TEST(Uses, PickingIsSeparateFromReading) {
  Stages stages;
  stages.start = [](Sequence& sequence) { sequence.want.full = true; };
  stages.forward = [](const Step& step) {
    return full_scores(
        scores(step, [](const Slice& slice, std::int64_t at, std::int64_t v) {
          return v == slice.sequence->token(at) + 1 ? 1.0F : 0.0F;
        }));
  };
  stages.pick = [](const Step&, Result result) {
    result.out = {{"picked", result.scores.full.argmax(1)}};
    result.scores = {};
    return result;
  };
  stages.decode = [](const Step& step, const Result& picked,
                     std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      Next next;
      next.slice = i;
      next.tokens = {
          get(picked.out, "picked")[step.slices[i].out].item<std::int64_t>()};
      next.emit.emplace_back().tokens = next.tokens;
      if (next.tokens[0] == 6) next.finish = Finish::kStop;
      out.push_back(std::move(next));
    }
  };
  stages.caps = {
      .slots = 4, .rollback = kAll, .can_copy = true, .can_chunk = true};
  EXPECT_EQ(texts(run(stages, {"2"})[0]).size(), 4);
}

/// Scoring: every position of a prompt, in chunks, nothing kept.
TEST(Uses, ScoringAddsUpOverChunks) {
  for (const std::int64_t chunk :
       {std::int64_t{1}, std::int64_t{3}, std::int64_t{100}}) {
    Stages stages;
    stages.chunk = chunk;
    stages.caps = {
        .slots = 4, .rollback = kAll, .can_copy = true, .can_chunk = true};
    stages.start = [](Sequence& sequence) {
      sequence.want.from = 0;
      sequence.want.follow = true;
    };
    stages.forward = [](const Step& step) {
      return Result{
          .out = {},
          .scores = fill_scores(
              scores(step,
                     [](const Slice&, std::int64_t at, std::int64_t v) {
                       return static_cast<float>(10 * at + v);
                     }),
              step)};
    };
    std::map<const Sequence*, float> sums;
    stages.decode = [&](const Step& step, const Result& result,
                        std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        const Slice& slice = step.slices[i];
        for (std::int64_t j = 0; j < slice.outs; ++j) {
          const auto score = result.scores.follow[slice.out + j].item<float>();
          if (!std::isnan(score)) sums[slice.sequence] += score;
        }
        Next next;
        next.slice = i;
        if (slice.begin + slice.count == slice.sequence->length()) {
          next = finish(i, tensor(at::full({1}, sums[slice.sequence])));
        }
        out.push_back(std::move(next));
      }
    };
    stages.write = emit_tensor;
    // 3 follows position 0, 4 position 1, 5 position 2.
    const auto got = run(stages, {"2 3 4 5"});
    ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
    EXPECT_EQ(number(values(got[0]).at(0)), 3 + 14 + 25) << chunk;
  }
}

/// A request of several items, one of which yields several values; in order.
TEST(Uses, SpeechComesOutSentenceBySentence) {
  Stages stages;
  stages.preprocess = {[](const Request&, Item, ItemSink& out) {
    for (const std::int64_t sentence : {5, 1, 3}) {
      Item item;
      item.tokens = {sentence};
      out.push(std::move(item));
    }
  }};
  stages.start = [](Sequence& sequence) { sequence.want.hidden = true; };
  stages.forward = [](const Step& step) {
    auto sound = at::zeros({step.outs(), 1});
    for (const Slice& slice : step.slices) {
      sound[slice.out][0] = slice.sequence->tokens[0];
    }
    return hidden_states(sound);
  };
  stages.decode = [](const Step& step, const Result& result,
                     std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      out.push_back(
          finish(i, tensor(result.scores.hidden[step.slices[i].out])));
    }
  };
  stages.write = [](const Decoded& decoded, OutputSink& out) {
    const auto sound = get(decoded.tensors, "value");
    out.emit(value_of(sound), 0, false);
    out.emit(value_of(sound + 0.5), 0, true);
    return true;
  };
  const auto got = run(stages, {"x"});
  std::vector<float> heard;
  for (const Value& value : values(got[0])) heard.push_back(number(value));
  EXPECT_THAT(heard, ElementsAre(5, 5.5, 1, 1.5, 3, 3.5));
}

}  // namespace
}  // namespace penstock::uses
