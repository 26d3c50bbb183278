// The encoder and the first scores against transformers, of three clips.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "model.h"
#include "penstock/models.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"
#include "support.h"

namespace penstock::whisper {
namespace {

at::Tensor features_of(const std::string& name) {
  PluginHost plugins({PENSTOCK_PLUGINS});
  PreprocessOnly pipeline(load_pipeline_file(
      PENSTOCK_SOURCE_DIR "/pipelines/speech_to_text.yaml", plugins));
  Request request;
  request.inputs["audio"] = (cache_folder() / "media" / name).string();
  return get(pipeline.run(std::move(request)).at(0).inputs, "features");
}

TEST(Encoder, HearsAsTransformersDoes) {
  const Model model(*Arrays::open(resolve_model("whisper-tiny.en")),
                    at::kFloat);
  const auto rows = audio::golden_json("whisper/steps.json");
  const auto golden = audio::golden_floats("whisper/encoder.f32", {3, 30, 96});
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    const auto encoded =
        model.encode(features_of(row["file"]).unsqueeze(0)).squeeze(0);
    const auto some = encoded.slice(0, 0, 1500, 50).slice(1, 0, 384, 4);
    EXPECT_LE(audio::distance(some, golden[i]), 2e-3) << row;
    Cache cache = model.begin(encoded);
    const auto hidden =
        model.decode(at::tensor({50257, 50362}, at::kLong), {{2, &cache}});
    const auto logits = model.logits(hidden.narrow(0, 1, 1)).squeeze(0);
    const auto ids = row["ids"].get<std::vector<std::int64_t>>();
    for (std::size_t k = 0; k < ids.size(); ++k) {
      EXPECT_NEAR(logits[ids[k]].item<float>(), row["logits"][k].get<float>(),
                  2e-3)
          << row;
    }
  }
}

}  // namespace
}  // namespace penstock::whisper
