// What the network computes, against the formula; and that its state keeps to
// THE RULE, which stage_faults() looks at: prompts in pieces, cut, copied,
// replayed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "penstock/testing/stage_faults.h"
#include "penstock/weights.h"

namespace {

using penstock::testing::Given;
using penstock::testing::run_stage;

std::string weights() {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / "recurrent.safetensors";
  const std::string command =
      std::string(EXAMPLE_FOLDER "/random_weights ") + path.string() + " 4";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return path.string();
}

std::vector<float> numbers_of(const std::string& file, const char* name) {
  const auto opened = penstock::WeightFile::open(file);
  const auto& tensor = opened.at(name);
  std::vector<float> out(
      static_cast<std::size_t>(tensor.rows() * tensor.columns()));
  penstock::dequantize(tensor, 0, tensor.rows(), out);
  return out;
}

/// The formula at the head of recurrent.cpp, number by number.
std::int64_t best_after(const std::string& file, const std::string& text) {
  const auto embedding = numbers_of(file, "embedding");
  const auto recurrence = numbers_of(file, "recurrence");
  const auto output = numbers_of(file, "output");
  std::vector<double> state(4);
  for (const char c : text) {
    std::vector<double> next(4);
    for (std::size_t i = 0; i < 4; ++i) {
      next[i] = embedding[static_cast<unsigned char>(c) * 4U + i];
      for (std::size_t j = 0; j < 4; ++j) {
        next[i] += recurrence[i * 4 + j] * state[j];
      }
      next[i] = std::tanh(next[i]);
    }
    state = next;
  }
  std::int64_t best = 0;
  double most = -1e9;
  for (std::int64_t token = 0; token < 256; ++token) {
    double score = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      score += output[static_cast<std::size_t>(token) * 4 + i] * state[i];
    }
    if (score > most) best = token;
    most = std::max(most, score);
  }
  return best;
}

TEST(Recurrent, ComputesTheFormula) {
  const std::string file = weights();
  for (const std::string text : {"H", "Hello", "penstock"}) {
    Given given;
    given.model = file;
    given.items = {{.tokens = {text.begin(), text.end()}}};
    const auto made = run_stage("{use: recurrent.forward, width: 4}", given);
    EXPECT_EQ(made.decoded.at(0).tokens.at(0), best_after(file, text)) << text;
  }
}

TEST(Recurrent, DoesWhatEveryStageMust) {
  Given given;
  given.model = weights();
  given.items = {{.tokens = {3, 1, 4, 1, 5, 9, 2, 6}},
                 {.tokens = {2, 7, 1, 8, 2, 8, 1, 8, 2}}};
  given.new_tokens = 3;
  EXPECT_EQ(penstock::testing::stage_faults(
                "{use: recurrent.forward, width: 4}", given),
            "");
}

TEST(Recurrent, NamesTheTensorThatDoesNotFit) {
  Given given;
  given.model = weights();
  given.items = {{.tokens = {1}}};
  try {
    (void)run_stage("{use: recurrent.forward, width: 5}", given);
    FAIL() << "it took weights of another width";
  } catch (const penstock::Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("embedding"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("recurrent.forward"));
  }
}

}  // namespace
