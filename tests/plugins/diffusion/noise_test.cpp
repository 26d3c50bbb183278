// Noise is that of torch.Generator, and a text becomes its class.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/diffusion/support.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

Made noise(const std::string& params, const std::string& text = "",
           const std::map<std::string, std::string>& options = {}) {
  return run_stage("{use: diffusion.noise, " + params + "}",
                   {.inputs = {{"text", text}}, .options = options});
}

TEST(Noise, OfASeedIsThatOfTorchRandn) {
  const Made made = noise("shape: [1, 16, 16], seed: 7");
  EXPECT_TRUE(
      get(made.items.at(0).inputs, "sample")
          .allclose(tensor_of(diffusers_said().at("seed_7")), 1e-5, 1e-6));
  EXPECT_EQ(std::get<std::int64_t>(made.items[0].notes.at("seed")), 7);
}

TEST(Noise, OfSeveralHasASeedEach) {
  const Made three =
      noise("shape: [1, 4, 4]", "", {{"count", "3"}, {"seed", "5"}});
  const Made seven = noise("shape: [1, 4, 4]", "", {{"seed", "7"}});
  ASSERT_EQ(three.items.size(), 3U);
  EXPECT_TRUE(get(three.items[2].inputs, "sample")
                  .equal(get(seven.items.at(0).inputs, "sample")));
  EXPECT_FALSE(get(three.items[0].inputs, "sample")
                   .equal(get(three.items[1].inputs, "sample")));
}

TEST(Noise, TakesAClassByNumberOrName) {
  const std::string params =
      "shape: [1], condition: class, classes: [cat, dog, bird]";
  const auto class_of = [&](const std::string& text) {
    return get(noise(params, text).items.at(0).inputs, "condition")
        .item<std::int64_t>();
  };
  EXPECT_EQ(class_of("dog"), 1);
  EXPECT_EQ(class_of(" 2\n"), 2);
}

TEST(Noise, SaysWhichClassesThereAre) {
  const auto failure_of = [](const std::string& text) -> std::string {
    try {
      (void)noise("shape: [1], condition: class, classes: [cat, dog]", text);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(failure_of("dgo"),
              HasSubstr("the text 'dgo' is no class, did "
                        "you mean 'dog'?; expected cat, dog"));
  EXPECT_THAT(failure_of("2"), HasSubstr("is no class"));
}

}  // namespace
}  // namespace penstock::testing
