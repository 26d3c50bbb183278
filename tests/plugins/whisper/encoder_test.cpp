// The encoder and the first scores against transformers, of three clips.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "penstock/models.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"
#include "tests/plugins/audio/support.h"
#include "whisper/native/engine.h"
#include "whisper/reference.h"

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

/// The first scores of an engine behind <|startoftranscript|><|notimestamps|>.
at::Tensor first_scores(Engine& engine, const at::Tensor& features) {
  engine.encode({features}, {0});
  return engine
      .decode(at::tensor({50257, 50362}, at::kLong), {{.slot = 0, .count = 2}},
              {1})
      .squeeze(0);
}

TEST(Encoder, HearsAsTransformersDoes) {
  const auto file = Arrays::open(resolve_model("whisper-tiny.en"));
  const Model model(*file, at::kFloat);
  ReferenceEngine reference(*file, at::kFloat, 1);
  native::NativeEngine exact_native(*file, kernels::PackedType::kF32, 1);
  native::NativeEngine native(*file, kernels::PackedType::kInt16, 1);
  const auto rows = audio::golden_json("whisper/steps.json");
  const auto golden = audio::golden_floats("whisper/encoder.f32", {3, 30, 96});
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    const auto features = features_of(row["file"]);
    const auto some = [&](const at::Tensor& encoded) {
      return encoded.slice(0, 0, 1500, 50).slice(1, 0, 384, 4);
    };
    const auto encoded = model.encode(features.unsqueeze(0)).squeeze(0);
    EXPECT_LE(audio::distance(some(encoded), golden[i]), 2e-3) << row;
    EXPECT_LE(
        audio::distance(some(exact_native.encoder_output(features)), golden[i]),
        2e-3)
        << row;
    EXPECT_LE(audio::distance(some(native.encoder_output(features)), golden[i]),
              6e-3)
        << row;
    const auto ids = row["ids"].get<std::vector<std::int64_t>>();
    const auto exact = first_scores(reference, features);
    const auto also_exact = first_scores(exact_native, features);
    const auto close = first_scores(native, features);
    for (std::size_t k = 0; k < ids.size(); ++k) {
      const float wanted = row["logits"][k].get<float>();
      EXPECT_NEAR(exact[ids[k]].item<float>(), wanted, 2e-3) << row;
      EXPECT_NEAR(also_exact[ids[k]].item<float>(), wanted, 2e-3) << row;
      EXPECT_NEAR(close[ids[k]].item<float>(), wanted, 2e-2) << row;
    }
  }
}

}  // namespace
}  // namespace penstock::whisper
