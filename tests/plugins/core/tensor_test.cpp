// core.identity, core.outputs, core.tensor and core.text: from tensors that
// preprocess made to numbers in JSON and to files that others read.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "penstock/weights.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

const char* const kWhole =
    "batch: {use: core.stack}\nforward: {use: core.identity}\n"
    "decode: {use: core.outputs}\npostprocess: ";

testing::Given given_tensors(const Tensors& tensors) {
  return {.items = {{.inputs = tensors}}};
}

Decoded decoded_of(Tensors tensors) {
  Decoded decoded;
  decoded.tensors = std::move(tensors);
  return decoded;
}

Outcome written(const std::string& postprocess, const testing::Given& given) {
  return testing::run_stages(kWhole + postprocess + "\n", given).outcome;
}

std::string error_of(const std::string& postprocess, const Tensors& tensors) {
  try {
    (void)written(postprocess, given_tensors(tensors));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

/// A folder that is gone with the test.
struct Folder {
  Folder() : path(::testing::TempDir() + "/penstock_tensors") { clean(); }
  ~Folder() { clean(); }
  void clean() const { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string yaml(const std::string& format) const {
    return "{use: core.tensor, format: " + format + ", folder: '" + path + "'}";
  }
  /// The only file in it.
  [[nodiscard]] std::filesystem::path file() const {
    return std::filesystem::directory_iterator(path)->path();
  }
  std::string path;
};

TEST(Tensor, JsonHasEveryNumber) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  const auto made = written(
      "{use: core.tensor}",
      given_tensors(
          {{"x",
            at::tensor({1.5F, -2.0F, none, 0.25F}, at::kFloat).reshape({2, 2})},
           {"n", at::tensor({7, -1}, at::kLong)}}));
  EXPECT_EQ(made.json(),
            R"({"tensors":[{"name":"x","dtype":"f32","shape":[2,2],)"
            R"("values":[1.5,-2.0,null,0.25]},)"
            R"({"name":"n","dtype":"i64","shape":[2],"values":[7,-1]}]})");
  EXPECT_THAT(made.text(), HasSubstr("\nn i64[2], from -1 to 7"));
}

TEST(Tensor, NamesChooseAndAreOneOfThoseThere) {
  const Tensors two = {{"a", at::full({1}, 1, at::kByte)},
                       {"b", at::full({1}, 2, at::kByte)}};
  EXPECT_EQ(
      written("{use: core.tensor, names: [b]}", given_tensors(two)).text(),
      "b u8[1], from 2 to 2");
  EXPECT_THAT(error_of("{use: core.tensor, names: [c]}", two),
              HasSubstr("no tensor 'c'"));
  EXPECT_THAT(error_of("{use: core.tensor}", {}),
              HasSubstr("core.text writes texts"));
  EXPECT_THAT(error_of("{use: core.tensor, max_values: 3}",
                       {{"x", at::full({4}, 1, at::kFloat)}}),
              HasSubstr("'x' has 4 numbers; JSON takes 3"));
}

TEST(Tensor, SeveralItemsGoOnInOneList) {
  testing::Given given = given_tensors({{"x", at::full({1}, 5, at::kInt)}});
  given.items.push_back({.inputs = {{"x", at::full({1}, 6, at::kInt)}}});
  const auto made = written("{use: core.tensor}", given);
  EXPECT_EQ(made.text(), "x i32[1], from 5 to 5\nx i32[1], from 6 to 6");
  EXPECT_THAT(made.json(), HasSubstr(R"({"name":"x","item":1,)"));
}

// numpy's format, version 1: magic, length of the header, header, numbers.
TEST(Tensor, NpyIsWhatNumpyReads) {
  const Folder folder;
  const auto tensor = at::arange(6, at::kShort).reshape({2, 3}).t();
  const auto made =
      written(folder.yaml("npy"), given_tensors({{"a/b", tensor}}));
  const std::string bytes = bytes_of(folder.file());
  EXPECT_THAT(folder.file().filename().string(), HasSubstr(".a_b.npy"));
  EXPECT_THAT(made.json(), HasSubstr(".a_b.npy"));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header = static_cast<unsigned char>(bytes[8]);
  EXPECT_EQ((10 + header) % 64, 0U);
  EXPECT_EQ(bytes[10 + header - 1], '\n');
  EXPECT_THAT(bytes, HasSubstr("{'descr': '<i2', 'fortran_order': False, "
                               "'shape': (3, 2, ), }"));
  EXPECT_EQ(bytes.substr(10 + header),
            std::string("\0\0\3\0\1\0\4\0\2\0\5\0", 12));
}

TEST(Tensor, SafetensorsAreReadAgain) {
  const Folder folder;
  const auto x = at::tensor({1.0F, -0.5F, 3.25F}, at::kFloat);
  (void)written(
      folder.yaml("safetensors"),
      given_tensors({{"x", x.to(at::kBFloat16)}, {"y", x.reshape({3, 1})}}));
  const auto file = WeightFile::open(folder.file());
  for (const char* name : {"x", "y"}) {
    const WeightTensor& read = file.at(name);
    std::vector<float> numbers(3);
    dequantize(read, 0, read.rows(), numbers);
    EXPECT_THAT(numbers, ::testing::ElementsAre(1.0F, -0.5F, 3.25F)) << name;
  }
  EXPECT_EQ(file.at("y").shape, (std::vector<std::int64_t>{3, 1}));
}

TEST(Text, IsALineAnItem) {
  testing::Given given;
  for (const char* text : {"one", "two"}) {
    testing::GivenItem item;
    set(item.notes, kText, text);
    given.items.push_back(item);
  }
  EXPECT_EQ(written("{use: core.text}", given).text(), "one\ntwo");
}

TEST(Outputs, DoWhatEveryStageMust) {
  const testing::Given given =
      given_tensors({{"x", at::full({2}, 1, at::kFloat)}});
  EXPECT_EQ(
      testing::stage_faults("{use: core.tensor}",
                            {.decoded = {decoded_of(given.items[0].inputs)}}),
      "");
  EXPECT_EQ(testing::stage_faults(
                "{use: core.outputs}",
                {.outputs = {{{"x", at::full({2}, 1, at::kFloat)}}}}),
            "");
  EXPECT_EQ(testing::stage_faults("{use: core.identity}", given), "");
}

}  // namespace
}  // namespace penstock::core
