// Hugging Face folders against transformers: one file and shards, config.json
// in old and new spelling, the text part of multimodal models.
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

std::string folder(const std::string& name) {
  return repository() + "tests/fixtures/folders/" + name;
}

struct FolderCase {
  std::string folder, engine;
};
void PrintTo(const FolderCase& c, std::ostream* os) {
  *os << c.folder << ", " << c.engine;
}

class ModelFolder : public ::testing::TestWithParam<FolderCase> {
 protected:
  void SetUp() override { set_threads(1); }

  std::string name_ = "folders/" + GetParam().folder;
  std::string model_ = folder(GetParam().folder);
  nlohmann::json golden_ = golden_json(name_ + ".json");
};

TEST_P(ModelFolder, GivesTransformersLogits) {
  const auto shape = golden_["shape"].get<std::vector<std::int64_t>>();
  const auto sequence = golden_["sequence"].get<Tokens>();
  const auto wanted = golden_floats(name_ + ".f32", shape);
  Driven driven(model_, {.engine = GetParam().engine,
                         .dtype = "fp32",
                         .cache = true,
                         .logits = false});
  Want want;
  want.from = std::ssize(sequence) - shape[0];
  want.full = true;
  for (const std::int64_t chunk : {7, 512}) {
    const auto got = driven.run(sequence, want, chunk).full;
    const auto worst = (got - wanted).abs().max().item<double>();
    std::cout << name_ << ": largest logit difference " << worst << "\n";
    // The logits have a deviation of 2 to 4.
    EXPECT_LE(worst, 5e-4);
  }
  EXPECT_EQ(std::get<Tokens>(driven.facts().at("eos_ids")),
            golden_["eos"].get<Tokens>());
}

TEST_P(ModelFolder, ContinuesAsTransformers) {
  std::vector<std::string> prompts;
  for (const auto& each : golden_["greedy"]) prompts.push_back(each["prompt"]);
  const auto results = run(prompts, {.model = model_,
                                     .max_sequences = 3,
                                     .max_new_tokens = 48,
                                     .engine = GetParam().engine});
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto& wanted = golden_["greedy"][i];
    EXPECT_EQ(compare_greedy(results[i]->report.token_ids,
                             wanted["ids"].get<Tokens>(), wanted["margins"],
                             str("prompt ", i)),
              "");
    EXPECT_EQ(results[i]->report.prompt_tokens,
              std::ssize(wanted["prompt_ids"].get<Tokens>()));
  }
}

// The sizes of `sharded` are none that the native engine takes.
INSTANTIATE_TEST_SUITE_P(
    Folders, ModelFolder,
    ::testing::ValuesIn<FolderCase>({{"plain", "reference"},
                                     {"plain", "native"},
                                     {"sharded", "reference"},
                                     {"multimodal", "reference"},
                                     {"multimodal", "native"},
                                     {"multimodal_old", "reference"},
                                     {"multimodal_old", "native"}}));

}  // namespace
}  // namespace penstock::gemma
