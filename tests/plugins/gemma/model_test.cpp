// The real Gemma 3 270M against transformers and sentencepiece. The long
// matrix runs where PENSTOCK_FULL is set.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "penstock/models.h"
#include "support.h"
#include "text_stream.h"
#include "tokenizer.h"

namespace penstock::gemma {
namespace {

bool is_full() { return std::getenv("PENSTOCK_FULL") != nullptr; }
std::string model() { return resolve_model("gemma-3-270m"); }

/// Little-endian numbers of 1 to 4 bytes.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : in_(repository() + "tests/golden/" + path, std::ios::binary) {}
  std::uint32_t number(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      value |= static_cast<std::uint32_t>(in_.get() & 0xFF) << (8 * i);
    }
    return value;
  }
  std::string text(std::size_t bytes) {
    std::string out(bytes, '\0');
    in_.read(out.data(), static_cast<std::streamsize>(bytes));
    return out;
  }
  [[nodiscard]] bool is_good() const { return in_.good(); }

 private:
  std::ifstream in_;
};

TEST(Tokenizer, GivesTenThousandStringsTheirIdsAndBack) {
  const auto tokenizer = Tokenizer::open(model());
  const auto index = golden_json("tokenizer/index.json");
  std::map<std::size_t, std::string> differs;
  for (const auto& each : index["decode_differs"]) {
    differs[each["index"]] = each["text"];
  }
  Reader strings("tokenizer/strings.bin");
  Reader ids("tokenizer/ids.bin");
  const std::size_t count = index["count"];
  EXPECT_GE(count, 10000);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = strings.text(strings.number(4));
    Tokens wanted(ids.number(4));
    for (auto& id : wanted) id = ids.number(3);
    ASSERT_TRUE(strings.is_good() && ids.is_good()) << i;
    wrong += tokenizer->encode(text) != wanted;
    TextStream stream(tokenizer);
    std::string back;
    for (const std::int64_t id : wanted) back += stream.add(id);
    back += stream.finish();
    EXPECT_EQ(back, differs.contains(i) ? differs[i] : text) << i;
  }
  EXPECT_EQ(wrong, 0);
}

std::vector<float> floats(const at::Tensor& tensor) {
  const auto flat = tensor.contiguous();
  const auto* data = flat.const_data_ptr<float>();
  return {data, data + flat.numel()};
}

/// One model in fp32 for the tests below: opening it takes a second.
Driven& fp32() {
  static Driven driven(model(),
                       {.dtype = "fp32", .cache = true, .logits = false});
  return driven;
}

TEST(Forward, GivesTransformersLogitsOver1500Tokens) {
  const auto golden = golden_json("gemma/logits.json");
  const auto ids = golden["ids"].get<Tokens>();
  ASSERT_EQ(ids.size(), 1500);
  Want want;
  want.from = 0;
  want.top = 8;
  want.norm = true;
  want.ids = golden["fixed_ids"].get<Tokens>();
  const char* dump = std::getenv("PENSTOCK_DUMP_LOGITS");
  want.full = dump != nullptr;  // for compare_full.py
  const Scores scores = fp32().run(ids, want, 512);
  if (dump != nullptr) {
    std::ofstream(dump, std::ios::binary)
        .write(static_cast<const char*>(scores.full.const_data_ptr()),
               static_cast<std::streamsize>(scores.full.nbytes()));
  }
  const auto top = golden_floats("gemma/logits_top.f32", {1500, 8});
  const auto fixed = golden_floats("gemma/logits_fixed.f32", {1500, 32});
  const auto norm = golden_floats("gemma/logits_norm.f32", {1500});
  const double worst =
      std::max((scores.values - top).abs().max().item<double>(),
               (scores.at - fixed).abs().max().item<double>());
  std::cout << "largest logit difference " << worst << ", of log-sum-exp "
            << (scores.norm - norm).abs().max().item<double>() << "\n";
  EXPECT_LE(worst, 2e-3);
  EXPECT_LE((scores.norm - norm).abs().max().item<double>(), 2e-3);
  Reader best("gemma/logits_top_ids.i32");
  const auto values = floats(top);
  for (std::size_t i = 0; i < 1500; ++i) {
    const auto wanted = static_cast<std::int64_t>(best.number(4));
    for (int k = 1; k < 8; ++k) (void)best.number(4);
    const auto got =
        scores.ids[static_cast<std::int64_t>(i)][0].item<std::int64_t>();
    if (got == wanted) continue;
    const double margin = values[i * 8] - values[i * 8 + 1];
    std::cout << "near tie at " << i << ", margin " << margin << "\n";
    EXPECT_LT(margin, 4e-3) << "position " << i;
  }
}

TEST(Forward, PredictsAsTransformersOver2000Tokens) {
  const auto golden = golden_json("gemma/forced.json");
  const auto ids = golden["ids"].get<Tokens>();
  Want want;
  want.from = 0;
  want.top = 1;
  const Scores scores = fp32().run(ids, want, 512);
  const auto wanted = golden["top"].get<Tokens>();
  const auto margins = golden["margins"].get<std::vector<double>>();
  int ties = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto got =
        scores.ids[static_cast<std::int64_t>(i)][0].item<std::int64_t>();
    if (got == wanted[i]) continue;
    std::cout << "near tie at " << i << ", margin " << margins[i] << "\n";
    EXPECT_LT(margins[i], 4e-3) << "position " << i;
    ++ties;
  }
  EXPECT_LE(ties, 3);
}

TEST(Forward, HasTransformersPerplexity) {
  const auto golden = golden_json("gemma/perplexity.json");
  double total = 0;
  double wanted = 0;
  std::int64_t count = 0;
  for (const auto& window : golden["windows"]) {
    const auto ids = window["ids"].get<Tokens>();
    Want want;
    want.from = 0;
    want.norm = want.follow = true;
    const Scores scores = fp32().run(ids, want, 512);
    const auto nll =
        (scores.norm - scores.follow)
            .narrow(0, 0, static_cast<std::int64_t>(ids.size()) - 1)
            .to(at::kDouble)
            .sum()
            .item<double>();
    EXPECT_NEAR(nll, window["nll"], 1e-3 * window["nll"].get<double>());
    total += nll;
    wanted += window["nll"].get<double>();
    count += static_cast<std::int64_t>(ids.size()) - 1;
    if (!is_full() && count >= 2000) break;
  }
  const double n = static_cast<double>(count);
  std::cout << "perplexity over " << count << " tokens: " << std::exp(total / n)
            << ", transformers " << std::exp(wanted / n) << "\n";
  EXPECT_NEAR(std::exp(total / n) / std::exp(wanted / n), 1, 1e-3);
}

struct Way {
  std::string name;
  RunOptions how;
};

/// In CI 8 prompts x 32 tokens continuous and 2 x 64 alone; the rest in full.
std::vector<Way> ways() {
  std::vector<Way> all{
      {"EightContinuous", {.max_rows = 8, .max_new_tokens = 32}},
      {"Alone", {.max_rows = 1, .max_new_tokens = 64}}};
  if (!is_full()) return all;
  for (const bool is_padded : {false, true}) {
    for (const bool cache : {true, false}) {
      for (const std::int64_t rows : {1, 3, 8}) {
        for (const std::int64_t chunk : {16, 1 << 20}) {
          if ((is_padded || !cache) && chunk == 16) continue;
          all.push_back(
              {str(is_padded ? "Padded" : "Continuous", cache ? "" : "NoCache",
                   rows, chunk == 16 ? "Chunked" : ""),
               {.is_padded = is_padded,
                .cache = cache,
                .max_rows = rows,
                .chunk = chunk,
                .max_new_tokens = cache ? 256 : 64}});
        }
      }
    }
  }
  return all;
}

TEST(Greedy, ContinuesAsTransformers) {
  const auto golden = golden_json("gemma/greedy.json");
  int many = 0;
  for (const auto& each : golden) many += each["distinct_3grams"] >= 150;
  EXPECT_GE(many, 4);
  for (const Way& way : ways()) {
    RunOptions how = way.how;
    how.model = model();
    std::vector<std::string> prompts;
    for (const auto& each : golden) prompts.push_back(each["prompt"]);
    if (way.name == "Alone") prompts.resize(2);
    const Time start = Clock::now();
    const auto results = run(prompts, how);
    std::cout << way.name << ": "
              << std::chrono::duration<double>(Clock::now() - start).count()
              << " s\n";
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      auto wanted = golden[i]["ids"].get<Tokens>();
      const auto most = static_cast<std::size_t>(how.max_new_tokens);
      if (wanted.size() > most) wanted.resize(most);
      EXPECT_EQ(
          compare_greedy(results[i]->report.token_ids, wanted,
                         golden[i]["margins"], str(way.name, ", prompt ", i)),
          "");
      EXPECT_EQ(results[i]->report.prompt_tokens, golden[i]["ids_in"].size());
    }
  }
}

}  // namespace
}  // namespace penstock::gemma
