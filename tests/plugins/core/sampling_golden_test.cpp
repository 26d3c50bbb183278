// What stays of a token's scores, held against transformers' logits processors:
// from every score, and from those that core.sample asks of the model.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/sample.h"
#include "penstock/forward.h"
#include "tests/plugins/core/scores.h"

namespace penstock::core {
namespace {

using GoldenJson = nlohmann::json;

struct SamplingGoldenCase {
  std::string name;
  GoldenJson golden;
};
void PrintTo(const SamplingGoldenCase& c, std::ostream* os) { *os << c.name; }

std::vector<SamplingGoldenCase> cases() {
  std::ifstream in(PENSTOCK_SOURCE_DIR "/tests/golden/sampling/cases.json");
  std::vector<SamplingGoldenCase> out;
  for (const GoldenJson& each : GoldenJson::parse(in))
    out.push_back({each["name"], each});
  return out;
}

template <class T>
void take(const GoldenJson& params, const char* name, T& to) {
  if (params.contains(name)) to = params[name].get<T>();
}

SampleParams params_of(const GoldenJson& json) {
  SampleParams out;
  take(json, "temperature", out.temperature);
  take(json, "top_k", out.top_k);
  take(json, "top_p", out.top_p);
  take(json, "min_p", out.min_p);
  take(json, "typical_p", out.typical_p);
  take(json, "repetition_penalty", out.repetition_penalty);
  take(json, "frequency_penalty", out.frequency_penalty);
  take(json, "presence_penalty", out.presence_penalty);
  take(json, "no_repeat_ngram_size", out.no_repeat_ngram_size);
  take(json, "logit_bias", out.logit_bias);
  take(json, "banned_ids", out.banned_ids);
  take(json, "bad_words", out.bad_words);
  take(json, "min_new_tokens", out.min_new_tokens);
  return out;
}

/// A sequence in the midst of its answer.
struct Setting {
  explicit Setting(const GoldenJson& golden)
      : params(params_of(golden["params"])), decode(params) {
    request->checked = {std::make_shared<SampleParams>(params)};
    item.request = request;
    item.tokens = golden["prompt"].get<Tokens>();
    sequence.item = &item;
    sequence.tokens = item.tokens;
    for (const std::int64_t id : golden["answer"].get<Tokens>()) {
      sequence.tokens.push_back(id);
    }
    facts["eos_ids"] = Tokens{1, 106};
    facts["vocab_size"] = kVocabulary;
    StageContext context{.device = at::kCPU,
                         .model = "",
                         .slots = 1,
                         .threads = 1,
                         .max_step_tokens = 0,
                         .facts = facts};
    decode.open(context);
    decode.start(sequence);
  }
  [[nodiscard]] std::vector<Weighted> stay(const std::vector<float>& scores) {
    Step step;
    const auto count = static_cast<std::int64_t>(sequence.tokens.size());
    step.slices = {{.sequence = &sequence,
                    .count = count,
                    .begin = 0,
                    .out = 0,
                    .outs = 1}};
    const auto given = fill_scores(at::tensor(scores).unsqueeze(0), step);
    Candidates from = candidates_of(given, 0, sequence.want);
    const Rules rules(params, {1, 106}, kVocabulary);
    const auto prompt = static_cast<std::int64_t>(item.tokens.size());
    apply(from.all, rules.edits(sequence.tokens, prompt), rules.penalties());
    return kept(std::move(from.all), rules.sampling());
  }
  SampleParams params;
  std::shared_ptr<Request> request = std::make_shared<Request>();
  Item item;
  Sequence sequence;
  Notes facts;
  SampleDecode decode;
};

void expect_pairs(const std::vector<Weighted>& got, std::size_t from,
                  const GoldenJson& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(got[from + i].id, wanted[i][0].get<std::int64_t>()) << i;
    EXPECT_NEAR(got[from + i].probability, wanted[i][1].get<double>(), 1e-6);
  }
}

class Golden : public ::testing::TestWithParam<SamplingGoldenCase> {};

TEST_P(Golden, StaysWhatTransformersKeeps) {
  const GoldenJson& golden = GetParam().golden;
  const auto scores = scores_of(golden["seed"].get<std::uint64_t>());
  Setting setting(golden);
  for (const bool is_full : {false, true}) {
    SCOPED_TRACE(is_full ? "every score" : "as wanted");
    if (is_full) {
      setting.sequence.want = Want();
      setting.sequence.want.full = true;
    }
    const auto got = setting.stay(scores);
    const std::size_t count = golden["count"];
    ASSERT_EQ(got.size(), count);
    const auto sum = std::accumulate(
        got.begin(), got.end(), std::int64_t{0},
        [](std::int64_t total, const Weighted& w) { return total + w.id; });
    EXPECT_EQ(sum, golden["id_sum"].get<std::int64_t>());
    expect_pairs(got, 0, golden["best"]);
    expect_pairs(got, count - golden["last"].size(), golden["last"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Golden, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::core
