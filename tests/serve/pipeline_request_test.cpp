// What a client may ask of any pipeline: lines, forms, and no file of ours.
#include "pipeline_serve/api/uploads/pipeline_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/serve/forms.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

/// A pipeline that takes these media.
CompositionFile taking(const std::vector<std::string>& names) {
  static std::vector<std::unique_ptr<StageSpec>> specs;
  auto& spec = specs.emplace_back(std::make_unique<StageSpec>());
  for (const std::string& name : names) {
    spec->inputs.push_back(parse_port(name + ": media{wav}"));
  }
  PipelineFile file;
  file.preprocess.emplace_back().spec = spec.get();
  return composition_of(std::move(file));
}

PipelineCall read(const std::string& json,
                  const std::vector<std::string>& media = {}) {
  HttpRequest http;
  http.body = json;
  return read_pipeline_call(http, taking(media));
}

PipelineCall read(const std::vector<UploadPart>& parts,
                  const std::vector<std::string>& media) {
  return read_pipeline_call(upload(parts), taking(media));
}

std::string text_in(const PipelineCall& call, const std::string& name) {
  return std::get<std::string>(call.request.inputs.at(name));
}

std::string option(const PipelineCall& call, const std::string& name) {
  return std::get<RawScalar>(call.request.options.at(name)).text;
}

template <class Call>
HttpError request_refusal(const Call& call) {
  try {
    (void)call();
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status, 400);
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(PipelineCall, IsALineOfJson) {
  const auto call = read(R"({"id": "a", "text": "Hi", "stream": true,
                             "options": {"top_k": 3}, "deadline_ms": 9000})");
  EXPECT_EQ(call.request.id, "a");
  EXPECT_EQ(text_in(call, "text"), "Hi");
  EXPECT_EQ(option(call, "top_k"), "3");
  EXPECT_TRUE(call.request.deadline);
  EXPECT_TRUE(call.is_stream);
  EXPECT_FALSE(read(R"({"text": "Hi", "stream": false})").is_stream);
}

TEST(PipelineCall, StreamsToWhoAcceptsEvents) {
  HttpRequest http;
  http.body = R"({"text": "Hi"})";
  http.fields.add("Accept", "text/event-stream");
  EXPECT_TRUE(read_pipeline_call(http, taking({})).is_stream);
}

TEST(PipelineCall, IsAForm) {
  const auto call = read({{"image", "bytes", "a.png"},
                          {"text", "What is it?"},
                          {"top_k", "3"},
                          {"stop[]", "a"},
                          {"stop[]", "b"},
                          {"messages", R"([{"role": "user"}])"},
                          {"stream", "true"}},
                         {"image"});
  const auto media = std::get<Media>(call.request.inputs.at("image"));
  EXPECT_EQ(media.name, "a.png");
  EXPECT_EQ(*media.bytes, "bytes");
  EXPECT_EQ(text_in(call, "text"), "What is it?");
  EXPECT_EQ(option(call, "top_k"), "3");
  EXPECT_EQ(
      std::get<std::vector<RawScalar>>(call.request.options.at("stop")).size(),
      2);
  EXPECT_EQ(std::get<Json>(call.request.inputs.at("messages")).text,
            R"([{"role":"user"}])");
  EXPECT_TRUE(call.is_stream);
}

TEST(PipelineCall, IsALineBesideFiles) {
  const auto call = read(
      {{"request", R"({"options": {"top_k": 3}})"}, {"file", "bytes", "a.png"}},
      {"image"});
  EXPECT_TRUE(call.request.inputs.contains("image"));
  EXPECT_EQ(option(call, "top_k"), "3");
}

TEST(PipelineCall, NamesNoFileOfTheServer) {
  for (const char* json :
       {R"({"inputs": {"image": "secret.png"}})",
        R"({"inputs": {"image": "/etc/passwd"}, "text": "a"})"}) {
    const auto error = request_refusal([&] { return read(json, {"image"}); });
    EXPECT_EQ(error.param, "inputs.image");
    EXPECT_THAT(error.message, HasSubstr("cannot be named"));
  }
  EXPECT_EQ(request_refusal([] {
              return read({{"image", "secret.png"}}, {"image"});
            }).param,
            "image");
  EXPECT_EQ(
      request_refusal([] {
        return read({{"inputs", R"({"image": "secret.png"})"}}, {"image"});
      }).param,
      "inputs.image");
  EXPECT_EQ(request_refusal([] {
              return read({{"request", R"({"inputs": {"b": "secret.png"}})"},
                           {"a", "bytes", "x"}},
                          {"a", "b"});
            }).param,
            "inputs.b");
}

TEST(PipelineCall, NamesWhatIsWrong) {
  EXPECT_EQ(request_refusal([] { return read(R"({"txt": "a"})"); }).param,
            "txt");
  EXPECT_EQ(request_refusal([] { return read(R"({"custom_id": "a"})"); }).param,
            "custom_id");
  EXPECT_EQ(request_refusal([] { return read(R"({"text": 5})"); }).param,
            "text");
  EXPECT_EQ(request_refusal([] { return read(R"({"stream": 5})"); }).param,
            "stream");
  EXPECT_EQ(request_refusal([] { return read(R"({})", {"image"}); }).param,
            "image");
  EXPECT_EQ(request_refusal([] {
              return read({{"film", "bytes", "a.mp4"}}, {"image"});
            }).param,
            "film");
  EXPECT_EQ(request_refusal([] {
              return read({{"file", "bytes", "a"}}, {"image", "sound"});
            }).param,
            "file");
  EXPECT_EQ(
      request_refusal([] {
        return read({{"image", "1", "a"}, {"image", "2", "b"}}, {"image"});
      }).param,
      "image");
  EXPECT_EQ(request_refusal([] {
              return read({{"image", "", "a"}}, {"image"});
            }).param,
            "image");
  EXPECT_THAT(request_refusal([] { return read("[]"); }).message,
              HasSubstr("object"));
}

}  // namespace
}  // namespace penstock::serve
