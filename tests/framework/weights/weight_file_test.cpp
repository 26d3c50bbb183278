#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "penstock/error.h"
#include "penstock/weights.h"
#include "tests/framework/weights/gguf_builder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using ::testing::ElementsAre;
using testing::GgufBuilder;
using ::testing::HasSubstr;

// A folder of its own for each test.
class WeightFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto name =
        (fs::temp_directory_path() / "penstock_weights_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path write(std::span<const std::byte> bytes) const {
    auto path = folder_ / "model.gguf";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  static void expect_error(const std::function<void()>& act, Code code,
                           const std::vector<std::string>& says) {
    try {
      act();
      FAIL() << "did not throw";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      for (const auto& part : says) {
        EXPECT_THAT(error.what(), HasSubstr(part));
      }
    }
  }

  fs::path folder_;
};

GgufBuilder good_file() {
  return GgufBuilder()
      .text("general.architecture", "gemma3")
      .number<std::uint32_t>("gemma3.block_count", 18)
      .number<std::int8_t>("small", -3)
      .number<std::uint64_t>("huge", ~0ULL)
      .number("gemma3.eps", 1e-6F)
      .number("wide", 0.1)
      .number("broken", std::numeric_limits<float>::quiet_NaN())
      .number("yes", true)
      .numbers<float>("scores", {-1.0F, 2.5F})
      .numbers<std::int32_t>("types", {1, 3})
      .numbers<std::int8_t>("nothing", {})
      .texts("tokens", {"<pad>", "", "\xe2\x96\x81word"})
      .tensor({.name = "blk.0.attn_q.weight",
               .dims = {3, 2},
               .data = bytes_of<float>({1, 2, 3, 4, 5, 6})})
      .tensor({.name = "output_norm.weight",
               .dims = {1},
               .data = bytes_of<float>({1})});
}

TEST_F(WeightFileTest, GivesTensorsByName) {
  const auto file = WeightFile::open(write(good_file().build()));

  EXPECT_EQ(file.format(), "GGUF 3");
  EXPECT_EQ(file.tensors().size(), 2U);
  const auto& tensor = file.at("blk.0.attn_q.weight", {2, 3});
  std::vector<float> row(3);
  dequantize(tensor, 1, 2, row);
  EXPECT_THAT(row, ElementsAre(4.0F, 5.0F, 6.0F));
  EXPECT_TRUE(file.find("output_norm.weight").has_value());
  EXPECT_FALSE(file.find("output.weight").has_value());
}

TEST_F(WeightFileTest, GivesMetadataByKey) {
  const auto file = WeightFile::open(write(good_file().build()));

  EXPECT_EQ(file.text("general.architecture"), "gemma3");
  EXPECT_EQ(file.integer("gemma3.block_count"), 18);
  EXPECT_EQ(file.integer("small"), -3);
  EXPECT_EQ(file.real("gemma3.eps"), static_cast<double>(1e-6F));
  EXPECT_EQ(file.real("wide"), 0.1);
  EXPECT_EQ(file.real("small"), -3.0);
  EXPECT_TRUE(file.boolean("yes"));
  EXPECT_THAT(file.reals("scores"), ElementsAre(-1.0, 2.5));
  EXPECT_THAT(file.integers("types"), ElementsAre(1, 3));
  EXPECT_THAT(file.texts("tokens"),
              ElementsAre("<pad>", "", "\xe2\x96\x81word"));
  EXPECT_EQ(file.keys().size(), 12U);
  EXPECT_EQ(file.keys().front(), "general.architecture");
}

TEST_F(WeightFileTest, FindsOnlyWhatIsThere) {
  const auto file = WeightFile::open(write(good_file().build()));

  EXPECT_EQ(file.find_integer("gemma3.block_count"), 18);
  EXPECT_EQ(file.find_text("general.architecture"), "gemma3");
  EXPECT_EQ(file.find_boolean("yes"), true);
  EXPECT_EQ(file.find_real("wide"), 0.1);
  EXPECT_EQ(file.find_integer("no"), std::nullopt);
  EXPECT_EQ(file.find_text("no"), std::nullopt);
  EXPECT_EQ(file.find_boolean("no"), std::nullopt);
  EXPECT_EQ(file.find_real("no"), std::nullopt);
  EXPECT_FALSE(file.has("no"));
}

TEST_F(WeightFileTest, ViewsOutliveAMove) {
  auto first = WeightFile::open(write(good_file().build()));
  const auto tensor = first.at("output_norm.weight");
  const auto name = first.text("general.architecture");

  const auto second = std::move(first);

  std::vector<float> row(1);
  dequantize(tensor, 0, 1, row);
  EXPECT_EQ(row.front(), 1.0F);
  EXPECT_EQ(name, "gemma3");
  EXPECT_EQ(second.tensors().size(), 2U);
}

TEST_F(WeightFileTest, WrongQuestionsAreAnsweredWithNames) {
  const auto file = WeightFile::open(write(good_file().build()));
  struct Case {
    std::function<void()> ask;
    std::vector<std::string> says;
  };
  const std::vector<Case> cases = {
      {[&] { (void)file.at("blk.0.attn_k.weight"); },
       {"no tensor 'blk.0.attn_k.weight' among its 2",
        "nearest is 'blk.0.attn_q.weight'"}},
      {[&] {
         (void)file.at("blk.0.attn_q.weight", {3, 2});
       },
       {"'blk.0.attn_q.weight' has shape [2, 3], expected [3, 2]"}},
      {[&] { (void)file.integer("gemma3.block_cnt"); },
       {"no key 'gemma3.block_cnt', expected an integer",
        "nearest is 'gemma3.block_count'"}},
      {[&] { (void)file.integer("gemma3.eps"); },
       {"key 'gemma3.eps' is f32, expected an integer"}},
      {[&] { (void)file.integer("types"); },
       {"is array of i32, expected an integer"}},
      {[&] { (void)file.integer("yes"); }, {"is bool, expected an integer"}},
      {[&] { (void)file.integer("huge"); },
       {"holds 18446744073709551615, expected less than 2^63"}},
      {[&] { (void)file.real("yes"); }, {"is bool, expected a number"}},
      {[&] { (void)file.real("scores"); },
       {"is array of f32, expected a number"}},
      {[&] { (void)file.real("broken"); }, {"key 'broken' holds NaN"}},
      {[&] { (void)file.boolean("small"); }, {"is i8, expected a bool"}},
      {[&] { (void)file.boolean("nothing"); },
       {"is array of i8, expected a bool"}},
      {[&] { (void)file.text("small"); }, {"is i8, expected a text"}},
      {[&] { (void)file.text("tokens"); },
       {"is array of text, expected a text"}},
      {[&] { (void)file.texts("general.architecture"); },
       {"is text, expected an array of texts"}},
      {[&] { (void)file.texts("types"); },
       {"is array of i32, expected an array of texts"}},
      {[&] { (void)file.integers("scores"); },
       {"is array of f32, expected an array of integers"}},
      {[&] { (void)file.integers("small"); },
       {"is i8, expected an array of integers"}},
      {[&] { (void)file.reals("tokens"); },
       {"is array of text, expected an array of numbers"}},
      {[&] { (void)file.reals("wide"); },
       {"is f64, expected an array of numbers"}},
      {[&] { (void)file.find_text("yes"); }, {"is bool, expected a text"}},
  };

  for (const auto& c : cases) {
    expect_error(c.ask, Code::kData, c.says);
    expect_error(c.ask, Code::kData, {"model.gguf: "});
  }
}

TEST_F(WeightFileTest, MissingFileIsNotFound) {
  expect_error([&] { (void)WeightFile::open(folder_ / "no.gguf"); },
               Code::kNotFound, {"no.gguf", "No such file", "tools/models"});
}

TEST_F(WeightFileTest, FolderWithoutAModelIsNotFound) {
  expect_error([&] { (void)WeightFile::open(folder_); }, Code::kNotFound,
               {"no model in this folder", "model.safetensors.index.json"});
}

TEST_F(WeightFileTest, NamedPipeIsRefusedWithoutWaiting) {
  const auto path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);

  expect_error([&] { (void)WeightFile::open(path); }, Code::kData,
               {"is no regular file"});
}

TEST_F(WeightFileTest, EmptyFileIsRefused) {
  const auto path = write({});

  expect_error([&] { (void)WeightFile::open(path); }, Code::kData,
               {"model.gguf", "the file is empty"});
}

TEST_F(WeightFileTest, CutFileSaysHowMuchIsMissing) {
  auto bytes = good_file().build();
  bytes.pop_back();
  const auto path = write(bytes);

  expect_error([&] { (void)WeightFile::open(path); }, Code::kData,
               {"model.gguf", "tensor 'output_norm.weight'",
                "the file is cut short: it has " + std::to_string(bytes.size()),
                "ends at " + std::to_string(bytes.size() + 1),
                "tools/models fetch NAME"});
}

TEST(WeightFile, ReadsAFileWrittenByGgufPy) {
  const auto file =
      WeightFile::open(fs::path(PENSTOCK_FIXTURES) / "tiny" / "tiny.gguf");

  EXPECT_EQ(file.text("general.architecture"), "gemma3");
  const auto vocabulary =
      static_cast<std::int64_t>(file.texts("tokenizer.ggml.tokens").size());
  const auto width = file.integer("gemma3.embedding_length");
  (void)file.at("token_embd.weight", {vocabulary, width});
  for (const auto& tensor : file.tensors()) {
    std::vector<float> values(
        static_cast<std::size_t>(tensor.rows() * tensor.columns()));
    EXPECT_NO_THROW(dequantize(tensor, 0, tensor.rows(), values));
  }
}

}  // namespace
}  // namespace penstock
