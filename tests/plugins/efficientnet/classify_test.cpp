// EfficientNet-Lite0 on eight photographs, against efficientnet_lite_pytorch.
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "efficientnet/forward.h"
#include "image/decode.h"
#include "image/recipe.h"
#include "penstock/models.h"
#include "tests/plugins/image/support.h"

namespace penstock::efficientnet {
namespace {

at::Tensor crop(const std::string& name, const std::string& backend) {
  const auto bytes = image::file_bytes(image::media_folder() / name);
  image::Recipe recipe = image::preset("efficientnet_lite");
  recipe.backend = backend;
  return image::reshape(
      image::without_alpha(image::decode(bytes, {}).pixels, "drop"), recipe);
}

at::Tensor pixels_of(const at::Tensor& crop) {
  return image::normalize(crop, image::preset("efficientnet_lite"));
}

class Opened {
 public:
  explicit Opened(const std::string& engine)
      : forward_([&] {
          EfficientNetForward::Params params;
          params.engine = engine;
          return params;
        }()) {
    const auto model =
        cache_folder() /
        "models/efficientnet-lite0/efficientnet-lite0.safetensors";
    StageContext context{.device = at::kCPU,
                         .model = model.string(),
                         .slots = 1,
                         .threads = 2,
                         .max_step_tokens = 0,
                         .facts = facts_};
    forward_.open(context);
  }
  at::Tensor run(const at::Tensor& pixels) {
    Step step;
    step.inputs = {{"pixels", pixels}};
    return get(forward_.forward(step).out, "logits");
  }

 private:
  Notes facts_;
  EfficientNetForward forward_;
};

class Classify : public testing::TestWithParam<const char*> {};

TEST_P(Classify, EqualsTheOriginal) {
  Opened network(GetParam());
  const auto cases = image::golden("classified.json");
  ASSERT_EQ(cases.size(), 8U);
  for (const auto& each : cases) {
    const std::string name = each["file"];
    const auto exact = crop(name, "pillow");
    EXPECT_EQ(image::digest(exact), each["pixels"]) << name;
    const auto logits = network.run(pixels_of(exact).unsqueeze(0))[0];
    const auto fast =
        network.run(pixels_of(crop(name, "torch_aa")).unsqueeze(0))[0];
    const auto [values, ids] = logits.topk(3);
    for (std::size_t i = 0; i < each["ids"].size(); ++i) {
      const auto id = each["ids"][i].get<std::int64_t>();
      const double expected = each["logits"][i];
      EXPECT_NEAR(logits[id].item<double>(), expected, 1e-3) << name;
      EXPECT_NEAR(fast[id].item<double>(), expected, 0.05) << name;
      if (i >= 3) continue;
      EXPECT_EQ(ids[static_cast<std::int64_t>(i)].item<std::int64_t>(), id)
          << name;
    }
    for (std::size_t i = 0; i < each["every_50th"].size(); ++i) {
      EXPECT_NEAR(logits[static_cast<std::int64_t>(i * 50)].item<double>(),
                  each["every_50th"][i].get<double>(), 1e-3)
          << name;
    }
  }
}

TEST_P(Classify, ABatchOf17IsEachAlone) {
  Opened network(GetParam());
  const auto cases = image::golden("classified.json");
  std::vector<at::Tensor> pixels;
  for (std::size_t i = 0; i < 17; ++i) {
    const std::string name = cases[i % cases.size()]["file"];
    pixels.push_back(pixels_of(crop(name, "torch_aa"))
                         .roll(static_cast<std::int64_t>(i), 2));
  }
  const auto together = network.run(at::stack(pixels));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto alone = network.run(pixels[i].unsqueeze(0))[0];
    EXPECT_LE(together[static_cast<std::int64_t>(i)]
                  .sub(alone)
                  .abs()
                  .max()
                  .item<double>(),
              1e-5)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, Classify,
                         testing::Values("native", "reference"),
                         [](const auto& about) { return about.param; });

}  // namespace
}  // namespace penstock::efficientnet
