#include "pipeline_serve/api/inference/signature.h"

#include <gtest/gtest.h>

#include <deque>

namespace penstock::serve {
namespace {

/// A pipeline of these preprocess stages, whose ports are text.
class Made {
 public:
  StageConfig& stage(const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs) {
    StageSpec& spec = specs_.emplace_back();
    for (const auto& port : inputs) spec.inputs.push_back(parse_port(port));
    for (const auto& port : outputs) spec.outputs.push_back(parse_port(port));
    StageConfig& made = file.preprocess.emplace_back();
    made.spec = &spec;
    return made;
  }
  void writes(const std::string& port) {
    StageSpec& spec = specs_.emplace_back();
    spec.outputs.push_back(parse_port(port));
    file.postprocess.spec = &spec;
  }
  PipelineFile file;

 private:
  std::deque<StageSpec> specs_;
};

template <class Tensor>
std::string names(const std::vector<Tensor>& tensors) {
  std::string out;
  for (const Tensor& each : tensors) {
    out += each.name + ":" + std::string(each.datatype->name);
    for (const auto dim : each.dims) out += "," + std::to_string(dim);
    out += " ";
  }
  return out;
}

void set(StageConfig& stage, const std::string& param, ParamValue value) {
  stage.settings[param] = {.value = std::move(value), .source = "default"};
}

TEST(Signature, TakesAText) {
  Made made;
  made.stage({}, {"tokens: i64[T]"});
  const auto signature = signature_of(composition_of(made.file));
  EXPECT_EQ(names(signature.inputs), "text:BYTES ");
  EXPECT_EQ(names(signature.outputs), "text:BYTES json:BYTES ");
}

TEST(Signature, CallsTextsAsTheFileDoes) {
  Made made;
  StageConfig& stage = made.stage({}, {"tokens: i64[T]"});
  set(stage, "input", std::string("question"));
  set(stage, "continuation", std::string("answer"));
  const auto signature = signature_of(composition_of(made.file));
  EXPECT_EQ(names(signature.inputs), "question:BYTES answer:BYTES ");
  EXPECT_FALSE(signature.inputs[0].is_optional);
  EXPECT_TRUE(signature.inputs[1].is_optional);
}

TEST(Signature, TakesWhatNoStageMakes) {
  Made made;
  made.stage({"audio: media{wav}"}, {"waveform: f32[T]"});
  made.stage({"waveform: f32[T]", "mask: bool[B,T,3]"}, {"tokens: i64[T]"});
  const auto signature = signature_of(composition_of(made.file));
  EXPECT_EQ(names(signature.inputs), "audio:BYTES mask:BOOL,-1,3 ");
  EXPECT_EQ(signature.inputs[0].kind, InputKind::kMedia);
  EXPECT_EQ(signature.inputs[1].kind, InputKind::kTensor);
}

TEST(Signature, GivesNumbersThatAStageDeclares) {
  Made made;
  made.stage({}, {"tokens: i64[T]"});
  made.writes("embedding: f32[640]");
  const auto signature = signature_of(composition_of(made.file));
  EXPECT_EQ(names(signature.outputs),
            "text:BYTES embedding:FP32,640 json:BYTES ");
}

TEST(Signature, OfStepsIsWhatTheyDoNotGiveEachOther) {
  Made speech;
  speech.stage({"audio: media{wav}"}, {"tokens: i64[T]"});
  Made answer;
  answer.stage({}, {"tokens: i64[T]"});
  CompositionFile file;
  file.steps.resize(2);
  file.steps[0].name = "speech";
  file.steps[0].file = speech.file;
  file.steps[0].in = {{"audio", {.input = "talk", .each = {}}}};
  file.steps[1].name = "answer";
  file.steps[1].file = answer.file;
  file.steps[1].in = {{"text", {.input = {}, .each = "speech"}}};
  const auto signature = signature_of(file);
  EXPECT_EQ(names(signature.inputs), "talk:BYTES ");
  EXPECT_EQ(names(signature.outputs),
            "text:BYTES json:BYTES speech.text:BYTES speech.json:BYTES ");
  EXPECT_EQ(signature.output("text")->step, "answer");
}

}  // namespace
}  // namespace penstock::serve
