// Files that say something which the usual ones do not: an output projection
// of its own, positions that are scaled, other marks around a text, tensors
// that no part of the model reads. Numbers are those of a float32 model in
// numpy over gguf-py (tests/golden/make_variants.py).
#include <ATen/TensorOperators.h>
#include <ATen/ops/topk.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gemma/checkpoint.h"
#include "gemma/tokenizer.h"
#include "penstock/error.h"
#include "penstock/parallel.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string read(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// A copy of a fixture in a folder of its own, with one text in place of
/// another as long.
class Changed {
 public:
  Changed(const fs::path& from, const std::string& file, const std::string& old,
          const std::string& now)
      : folder_(fs::temp_directory_path() /
                str("penstock_variant_", getpid(), "_", count_++)) {
    fs::create_directories(folder_);
    fs::copy(from, folder_);
    std::string bytes = read(folder_ / file);
    const auto at = bytes.find(old);
    if (at == std::string::npos) throw std::logic_error("no " + old);
    bytes.replace(at, old.size(), now);
    std::ofstream(folder_ / file, std::ios::binary) << bytes;
  }
  ~Changed() { fs::remove_all(folder_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;

  [[nodiscard]] std::string path(const std::string& file = "") const {
    return (folder_ / file).string();
  }

 private:
  static inline int count_ = 0;
  fs::path folder_;
};

Changed untied(const std::string& old, const std::string& now) {
  return {tiny("untied.gguf"), "untied.gguf", old, now};
}

std::string folder(const std::string& name) {
  return repository() + "tests/fixtures/folders/" + name;
}

const std::vector<std::string> kEngines{"reference", "native"};

Scores run(const std::string& model, const std::string& engine,
           const Want& want) {
  const auto golden = golden_json("variants/variants.json");
  Driven driven(model, {.engine = engine, .dtype = "fp32"});
  return driven.run(golden["sequence"].get<Tokens>(), want);
}

at::Tensor golden_logits(const std::string& name) {
  const auto golden = golden_json("variants/variants.json");
  return golden_floats(str("variants/", name, ".f32"),
                       golden["shape"].get<std::vector<std::int64_t>>());
}

void expect_logits(const std::string& model, const std::string& golden) {
  set_threads(1);
  const auto wanted = golden_logits(golden);
  Want all;
  all.from = 0;
  all.full = true;
  Want best;
  best.from = 0;
  best.top = 5;
  for (const std::string& engine : kEngines) {
    const auto got = run(model, engine, all).full;
    // The logits have a deviation of 5.
    EXPECT_LE((got - wanted).abs().max().item<double>(), 1e-3)
        << model << ", " << engine;
    // The best alone come another way: through the head's planes.
    const auto values = run(model, engine, best).values;
    EXPECT_LE(
        (values - std::get<0>(wanted.topk(5, 1))).abs().max().item<double>(),
        1e-3)
        << model << ", " << engine;
  }
}

std::string error_of(const std::string& model) {
  try {
    const Checkpoint opened(model);
    const Config& config = opened.config();
    (void)opened.at("token_embd", {config.vocab, config.hidden});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    return error.what();
  }
  return "not refused";
}

TEST(Output, OfItsOwnIsUsed) {
  expect_logits(tiny("untied.gguf"), "untied");
  expect_logits(folder("untied"), "untied");
}

/// As in transformers: files that say true and have both all the same.
TEST(Output, ThatDiffersFromTheEmbeddingIsUsedWhateverTheConfigSays) {
  const Changed model(folder("untied"), "config.json",
                      R"("tie_word_embeddings": false)",
                      R"("tie_word_embeddings": true)");
  expect_logits(model.path(), "untied");
}

TEST(Output, ThatIsMissingIsRefused) {
  const Changed model(folder("plain"), "config.json",
                      R"("tie_word_embeddings": true)",
                      R"("tie_word_embeddings": false)");
  EXPECT_THAT(error_of(model.path()),
              HasSubstr("there is no tensor 'lm_head.weight'"));
}

TEST(Rope, FactorWithoutATypeIsLinear) {
  expect_logits(tiny("scaled.gguf"), "scaled");
}

struct Unread {
  std::string name, now;
  bool is_refused = true;
};
void PrintTo(const Unread& c, std::ostream* os) { *os << c.name; }

class UnreadTensor : public ::testing::TestWithParam<Unread> {};

/// The names are as long as that of the tensor which they take the place of.
TEST_P(UnreadTensor, IsRefusedByNameOrNotNeeded) {
  const auto& c = GetParam();
  const Changed model = untied("output.weight", c.now);
  const std::string text = error_of(model.path("untied.gguf"));
  if (!c.is_refused) {
    EXPECT_EQ(text, "not refused");
    return;
  }
  EXPECT_THAT(text, HasSubstr(str("has no tensor '", c.now, "'")));
  EXPECT_THAT(text, HasSubstr("untied.gguf"));
}

INSTANTIATE_TEST_SUITE_P(
    Names, UnreadTensor,
    ::testing::ValuesIn<Unread>({{"Bias", "blk.0.up.bias"},
                                 {"Head", "score.weight."},
                                 {"RopeFactors", "rope_freqs.w."},
                                 {"FurtherLayer", "blk.2.attn_q."},
                                 {"Vision", "v.patch.weigh", false},
                                 {"Projector", "mm.put.weight", false}}),
    [](const auto& test) { return test.param.name; });

TEST(UnreadTensor, OfAMultimodalFolderIsOfNoMatter) {
  EXPECT_EQ(error_of(folder("multimodal")), "not refused");
  const Changed other(folder("multimodal"), "model.safetensors",
                      "vision_tower.", "vision_power.");
  EXPECT_THAT(error_of(other.path()), HasSubstr("vision_power."));
}

/// The embedding is there, so this is no other model.
TEST(Embedding, OfATypeThatIsNotReadIsNamedWithIt) {
  const Changed model(folder("plain"), "model.safetensors",
                      R"("model.embed_tokens.weight":{"dtype":"BF16")",
                      R"("model.embed_tokens.weight":{"dtype":"I16" )");
  EXPECT_THAT(error_of(model.path()),
              HasSubstr("'model.embed_tokens.weight' holds I16, expected F32, "
                        "F16 or BF16; convert"));
}

TEST(TokenizerConfig, SaysWhetherTextsBeginWithBos) {
  EXPECT_TRUE(Tokenizer::open(folder("plain"))->adds_bos());
  const Changed model(folder("plain"), "config.json", "", "");
  std::ofstream(model.path("tokenizer_config.json"))
      << R"({"add_bos_token": false})";
  EXPECT_FALSE(Tokenizer::open(model.path())->adds_bos());
}

TEST(Index, MayNameWhatTheTextModelDoesNotNeed) {
  const std::string kMap = R"("weight_map": {)";
  const Changed more(folder("sharded"), "model.safetensors.index.json", kMap,
                     kMap + R"("vision_tower.x": "model-00005-of-00005)" +
                         R"(.safetensors", "x": "model-00001-of-00004)" +
                         R"(.safetensors",)");
  EXPECT_EQ(error_of(more.path()), "not refused");
}

}  // namespace
}  // namespace penstock::gemma
