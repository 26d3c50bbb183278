// What is read of an `infer` call, and what is refused, which must be named.
#include "pipeline_serve/api/inference/inference_request.h"

#include <gtest/gtest.h>

#include "penstock/error.h"

namespace penstock::serve {
namespace {

using namespace std::string_literals;

Signature signature() {
  Signature out;
  const auto input = [&](const std::string& name, InputKind kind,
                         const std::string& dtype) {
    InputTensor& tensor = out.inputs.emplace_back();
    tensor.name = name;
    tensor.kind = kind;
    tensor.datatype = &datatype_of(dtype);
    tensor.is_optional = name != "text";
    return &tensor;
  };
  input("text", InputKind::kText, "text");
  input("image", InputKind::kMedia, "media");
  input("pixels", InputKind::kTensor, "f32")->dims = {2, -1};
  input("ids", InputKind::kTensor, "i8")->dims = {-1};
  input("half", InputKind::kTensor, "f16")->dims = {};
  input("flags", InputKind::kTensor, "bool")->dims = {-1};
  for (const char* name : {"text", "json"}) {
    out.outputs.emplace_back().name = name;
  }
  return out;
}

InferenceRequest parse(const std::string& json,
                       const std::string& tensors = {}) {
  static const Signature known = signature();
  return parse_inference(
      {.json = json, .tensors = tensors, .is_binary = !tensors.empty()}, known);
}

/// A call with `text` and another input.
std::string request_with(const std::string& more) {
  return R"({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",)"s +
         R"("data": ["Hi"]}, )" + more + "]}";
}

const std::string& text_of(const InferenceRequest& request, std::size_t row) {
  return std::get<std::string>(request.rows.at(row).at("text"));
}

at::Tensor tensor_of(const InferenceRequest& request, std::size_t row,
                     const std::string& name) {
  return get(std::get<Tensors>(request.rows.at(row).at(name)), name);
}

TEST(InferenceRequest, HasARowForEachElement) {
  const auto request =
      parse(R"({"id": "a", "inputs": [{"name": "text", "shape": [2, 1],)"
            R"("datatype": "BYTES", "data": [["Hi"], ["du"]]}],)"
            R"("parameters": {"max_tokens": 3, "seed": null, "stop": ["x"],)"
            R"("logit_bias": {"5": -1}, "timeout": 5}})");
  EXPECT_EQ(request.id, "a");
  ASSERT_EQ(request.rows.size(), 2U);
  EXPECT_EQ(text_of(request, 1), "du");
  EXPECT_TRUE(request.is_column);
  EXPECT_EQ(request.timeout, std::chrono::microseconds(5));
  EXPECT_EQ(request.outputs.size(), 2U);
  const auto& options = request.options.all();
  EXPECT_EQ(options.size(), 3U);
  EXPECT_EQ(std::get<RawScalar>(options.at("max_new_tokens")).text, "3");
  EXPECT_EQ(std::get<std::vector<RawScalar>>(options.at("logit_bias"))[0].text,
            "5:-1");
}

TEST(InferenceRequest, TakesBytesBehindTheJson) {
  const auto request = parse(
      R"({"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES",)"
      R"("parameters": {"binary_data_size": 11}},)"
      R"({"name": "ids", "shape": [2, 2], "datatype": "INT8",)"
      R"("parameters": {"binary_data_size": 4}},)"
      R"({"name": "image", "shape": [2], "datatype": "BYTES",)"
      R"("data": ["AP8=", "YQ"]}],)"
      R"("outputs": [{"name": "json", "parameters": {"binary_data": true}}]})",
      "\2\0\0\0Hi\1\0\0\0x\1\2\3\xff"s);
  EXPECT_EQ(text_of(request, 0), "Hi");
  EXPECT_EQ(text_of(request, 1), "x");
  EXPECT_EQ(tensor_of(request, 1, "ids")[1].item<std::int8_t>(), -1);
  EXPECT_EQ(*std::get<Media>(request.rows[0].at("image")).bytes, "\0\xff"s);
  ASSERT_EQ(request.outputs.size(), 1U);
  EXPECT_EQ(request.outputs[0].tensor->name, "json");
  EXPECT_TRUE(request.outputs[0].is_binary);
}

TEST(InferenceRequest, TakesNumbersFlatAndNested) {
  for (const char* data : {"[1, 2.5, 3, 4]", "[[[1, 2.5], [3, 4]]]"}) {
    const auto request =
        parse(request_with(R"({"name": "pixels", "shape": [1, 2, 2],)"
                           R"("datatype": "FP32", "data": )"s +
                           data + "}"));
    const auto pixels = tensor_of(request, 0, "pixels");
    EXPECT_EQ(pixels.dim(), 2);
    EXPECT_EQ(pixels[0][1].item<float>(), 2.5F);
  }
}

TEST(InferenceRequest, IsAFileAloneWhereTheJsonIsEmpty) {
  Signature image;
  image.inputs.emplace_back().name = "image";
  image.inputs[0].kind = InputKind::kMedia;
  const auto request = parse_inference(
      {.json = "", .tensors = "\x89PNG", .is_binary = true}, image);
  EXPECT_EQ(*std::get<Media>(request.rows[0].at("image")).bytes, "\x89PNG");
}

struct InferenceRequestCase {
  std::string name, json, names;
  std::string tensors = {};
};
void PrintTo(const InferenceRequestCase& c, std::ostream* out) {
  *out << c.name;
}

class Refused : public ::testing::TestWithParam<InferenceRequestCase> {};

TEST_P(Refused, AndNamed) {
  try {
    (void)parse(GetParam().json, GetParam().tensors);
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_NE(error.text().find(GetParam().names), std::string::npos)
        << error.text();
  }
}

std::string changed(const std::string& member) {
  return R"({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", )" +
         member + "}]}";
}

std::string call(const std::string& more) {
  return R"({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",)"s +
         R"("data": ["Hi"]}], )" + more + "}";
}

std::string ids(const std::string& shape, const std::string& data) {
  return request_with(R"({"name": "ids", "datatype": "INT8", "shape": )" +
                      shape + R"(, "data": )" + data + "}");
}

INSTANTIATE_TEST_SUITE_P(
    Of, Refused,
    ::testing::Values(
        InferenceRequestCase{"no_json", "{", "no JSON"},
        InferenceRequestCase{"list", "[]", "the request"},
        InferenceRequestCase{"empty", "{}", "inputs"},
        InferenceRequestCase{"no_inputs", R"({"inputs": []})", "text"},
        InferenceRequestCase{"unknown_member", call(R"("output": [])"),
                             "output"},
        InferenceRequestCase{"id", call(R"("id": 5)"), "id"},
        InferenceRequestCase{"unknown_input",
                             R"({"inputs": [{"name": "texd"}]})", "texd"},
        InferenceRequestCase{"no_name", R"({"inputs": [{}]})", "name"},
        InferenceRequestCase{"tensor_member",
                             changed(R"("data": ["a"], "dtype": 1)"), "dtype"},
        InferenceRequestCase{"no_data", changed(R"("parameters": {})"), "data"},
        InferenceRequestCase{"data_text", changed(R"("data": "Hi")"), "data"},
        InferenceRequestCase{"data_number", changed(R"("data": [5])"),
                             "data[0]"},
        InferenceRequestCase{"data_too_few", changed(R"("data": [])"), "data"},
        InferenceRequestCase{"data_too_deep", changed(R"("data": [["Hi"]])"),
                             "data"},
        InferenceRequestCase{"data_mixed", changed(R"("data": [["Hi"], "a"])"),
                             "data"},
        InferenceRequestCase{
            "no_header", changed(R"("parameters": {"binary_data_size": 6})"),
            "binary_data_size"},
        InferenceRequestCase{
            "too_much", changed(R"("parameters": {"binary_data_size": 9})"),
            "binary_data_size", "\2\0\0\0Hi"s},
        InferenceRequestCase{
            "negative", changed(R"("parameters": {"binary_data_size": -1})"),
            "binary_data_size", "\2\0\0\0Hi"s},
        InferenceRequestCase{
            "left_over", changed(R"("parameters": {"binary_data_size": 6})"),
            "1 bytes are left", "\2\0\0\0Hi!"s},
        InferenceRequestCase{
            "not_utf8", changed(R"("parameters": {"binary_data_size": 6})"),
            "UTF-8", "\2\0\0\0\xff\xff"s},
        InferenceRequestCase{
            "data_and_bytes",
            changed(R"("data": ["a"], "parameters": {"binary_data_size": 6})"),
            "data", "\2\0\0\0Hi"s},
        InferenceRequestCase{
            "shared_memory",
            changed(R"("parameters": {"shared_memory_region": "a"})"),
            "shared_memory_region"},
        InferenceRequestCase{
            "base64",
            request_with(
                R"({"name": "image", "shape": [1], "datatype": "BYTES",)"
                R"("data": ["?"]})"),
            "base64"},
        InferenceRequestCase{"shape_zero", ids("[0, 1]", "[1]"), "shape"},
        InferenceRequestCase{"shape_wild", ids("[-1, 1]", "[1]"), "shape"},
        InferenceRequestCase{"shape_none", ids("[]", "[1]"), "shape"},
        InferenceRequestCase{"shape_flat", ids("[1]", "[1]"), "shape"},
        InferenceRequestCase{"shape_text", ids(R"("1")", "[1]"), "shape"},
        InferenceRequestCase{"shape_real", ids("[1, 1.5]", "[1]"), "shape"},
        InferenceRequestCase{"shape_rows", ids("[2, 1]", "[1, 1]"), "shape"},
        InferenceRequestCase{
            "shape_many", ids("[1, 1, 1, 1, 1, 1, 1, 1, 1]", "[1]"), "shape"},
        InferenceRequestCase{"shape_huge", ids("[1024, 268435456]", "[1]"),
                             "shape"},
        InferenceRequestCase{"shape_most", ids("[100000, 1]", "[1]"), "shape"},
        InferenceRequestCase{"too_large", ids("[1, 2]", "[127, 128]"),
                             "element 1"},
        InferenceRequestCase{"no_integer", ids("[1, 1]", "[1.5]"), "INT8"},
        InferenceRequestCase{
            "no_bool",
            request_with(
                R"({"name": "flags", "shape": [1, 1], "datatype": "BOOL",)"
                R"("data": [1]})"),
            "BOOL"},
        InferenceRequestCase{
            "half",
            request_with(R"({"name": "half", "shape": [1], "datatype": "FP16",)"
                         R"("data": [1]})"),
            "FP16"},
        InferenceRequestCase{
            "datatype", R"({"inputs": [{"name": "text", "datatype": "FP32"}]})",
            "FP32"},
        InferenceRequestCase{
            "no_datatype",
            R"({"inputs": [{"name": "text", "datatype": "STRING"}]})",
            "STRING"},
        InferenceRequestCase{"output", call(R"("outputs": [{"name": "texd"}])"),
                             "texd"},
        InferenceRequestCase{
            "output_twice",
            call(R"("outputs": [{"name": "text"}, {"name": "text"}])"), "text"},
        InferenceRequestCase{"classes",
                             call(R"("outputs": [{"name": "text",)"
                                  R"("parameters": {"classification": 3}}])"),
                             "classification"},
        InferenceRequestCase{
            "option", call(R"("parameters": {"stop": [["x"]]})"), "stop"},
        InferenceRequestCase{
            "one_option_twice",
            call(R"("parameters": {"max_tokens": 1, "max_new_tokens": 2})"),
            "max_tokens"},
        InferenceRequestCase{
            "priority", call(R"("parameters": {"priority": 2})"), "priority"},
        InferenceRequestCase{"binary_output",
                             call(R"("parameters": {"binary_data_output": 1})"),
                             "binary_data_output"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace penstock::serve
