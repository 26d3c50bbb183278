// core.inputs: tensors that a request brings, as tensors and as JSON.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/dtype.h"
#include "penstock/testing/stage_faults.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

const char* const kTwo =
    "{use: core.inputs, tensors: ['x: f32[2,N]', 'n: i64[N]']}";

Tensors made(const std::string& stage, std::map<std::string, Value> inputs) {
  const auto run = testing::run_stage(stage, {.inputs = std::move(inputs)});
  return run.items.at(0).inputs;
}

std::string error_of(const std::string& stage,
                     std::map<std::string, Value> inputs) {
  try {
    (void)made(stage, std::move(inputs));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Inputs, ReadsListsWithinListsAndTensorsAlike) {
  const Tensors out =
      made(kTwo, {{"x", Json{"[[1, 2.5, -3], [0, 1e3, true]]"}},
                  {"n", Tensors{{"n", at::tensor({1L, 2L, 3L})}}}});
  EXPECT_TRUE(at::equal(
      get(out, "x"),
      at::tensor({1.F, 2.5F, -3.F, 0.F, 1000.F, 1.F}).reshape({2, 3})));
  EXPECT_TRUE(at::equal(get(out, "n"), at::tensor({1L, 2L, 3L})));
}

TEST(Inputs, ReadsANumberWhereThereAreNoDimsAndATextAsJson) {
  const Tensors out =
      made("{use: core.inputs, tensors: ['rate: i32[]', 'on: bool[1]']}",
           {{"rate", "16000"}, {"on", "[false]"}});
  EXPECT_EQ(get(out, "rate").dim(), 0);
  EXPECT_EQ(get(out, "rate").item<int>(), 16000);
  EXPECT_FALSE(get(out, "on")[0].item<bool>());
}

TEST(Inputs, SaysWhereAListIsWrong) {
  const auto error = [](const std::string& x) {
    return error_of("{use: core.inputs, tensors: ['x: f32[2,2]']}",
                    {{"x", Json{x}}});
  };
  EXPECT_THAT(error("[[1, 2], [3]]"),
              HasSubstr("input 'x' [1]: a list of 1, where the first is one "
                        "of 2"));
  EXPECT_THAT(error("[[1, 2], 3]"),
              HasSubstr("input 'x' [1]: no list, where other places have one"));
  EXPECT_THAT(error("[[1, 2], [3, [4]]]"),
              HasSubstr("input 'x' [1][1]: a list, where other places have a "
                        "number"));
  EXPECT_THAT(error("[[1, 2], [3, \"4\"]]"),
              HasSubstr("input 'x' [1][1]: expected a number"));
  EXPECT_THAT(error("[[1, 2], [3, 1e300]]"),
              HasSubstr("input 'x' [1][1]: 1e+300 is beyond f32"));
  EXPECT_THAT(error("[1, 2]"), HasSubstr("input 'x' is f32[2], expected x: "
                                         "f32[2,2]"));
  EXPECT_THAT(error("[[1, 2"), HasSubstr("input 'x'"));
  EXPECT_THAT(error("[]"), HasSubstr("input 'x' is f32[0], expected"));
}

TEST(Inputs, HoldsIntegersAgainstTheirDtype) {
  const auto error = [](const std::string& dtype, const std::string& x) {
    return error_of("{use: core.inputs, tensors: ['x: " + dtype + "[1]']}",
                    {{"x", Json{x}}});
  };
  EXPECT_EQ(error("u8", "[255]"), "");
  EXPECT_THAT(error("u8", "[256]"),
              HasSubstr("input 'x' [0]: 256 is beyond u8, which is 0 to 255"));
  EXPECT_THAT(error("i8", "[-129]"), HasSubstr("is beyond i8"));
  EXPECT_THAT(error("i64", "[1.5]"),
              HasSubstr("1.5 is no integer, as i64 wants"));
  EXPECT_THAT(error("f16", "[65505]"), HasSubstr("is beyond f16"));
}

TEST(Inputs, HoldsTensorsAgainstTheirPort) {
  const auto error = [](const at::Tensor& x, const at::Tensor& n) {
    return error_of(kTwo, {{"x", Tensors{{"x", x}}}, {"n", Tensors{{"n", n}}}});
  };
  EXPECT_EQ(error(at::ones({2, 3}), at::ones({3}, at::kLong)), "");
  EXPECT_THAT(error(at::ones({2, 3}, at::kDouble), at::ones({3}, at::kLong)),
              HasSubstr("input 'x' is f64[2,3], expected x: f32[2,N]"));
  EXPECT_THAT(error(at::ones({3, 3}), at::ones({3}, at::kLong)),
              HasSubstr("input 'x' is f32[3,3], expected x: f32[2,N]"));
  EXPECT_THAT(error(at::ones({2, 3}), at::ones({4}, at::kLong)),
              HasSubstr("input 'n' is i64[4], expected n: i64[N], and N is 3 "
                        "in another input"));
}

/// What is asked at every boundary between stages.
TEST(Inputs, FitTheirPortOrNot) {
  struct Case {
    const char* port;
    std::vector<std::int64_t> sizes;
    std::optional<std::int64_t> sequences;
    bool fits;
  };
  const std::vector<Case> cases{
      {"x: f32[2,N]", {2, 7}, {}, true},
      {"x: f32[2,N]", {3, 7}, {}, false},
      {"x: f32[2,N]", {2}, {}, false},
      {"x: f32[2,N]", {2, 7, 1}, {}, false},
      {"x: f32", {}, {}, true},
      {"x: f32", {1}, {}, false},
      {"x: f32[B,3]", {3}, {}, true},  // an item's own
      {"x: f32[B,3]", {5, 3}, {}, false},
      {"x: f32[B,3]", {5, 3}, 5, true},
      {"x: f32[B,3]", {5, 3}, 4, false},
      {"x: f32[B,3]", {}, 4, false},
      {"x: f32[B,...]", {5, 3, 1}, 5, true},
      {"x: f32[B,...]", {5}, 5, true},
      {"x: f32[3,...]", {3, 9}, {}, true},
      {"x: f32[3,...]", {4, 9}, {}, false},
      {"x: i64[2]", {2}, {}, false},
  };
  for (const Case& each : cases) {
    const auto shape = tensor_shape(parse_port(each.port));
    ASSERT_TRUE(shape) << each.port;
    EXPECT_EQ(fits(at::zeros(each.sizes), *shape, each.sequences), each.fits)
        << each.port << " " << tensor_type(at::zeros(each.sizes));
  }
  EXPECT_FALSE(tensor_shape(parse_port("picture: media")));
}

TEST(Inputs, NamesWhatIsMissingOrAFile) {
  const std::string stage = "{use: core.inputs, tensors: ['x: f32[1]']}";
  EXPECT_THAT(error_of(stage, {{"y", Json{"[1]"}}}),
              HasSubstr("the request has no input 'x'; expected x: f32[1]"));
  EXPECT_THAT(
      error_of(stage, {{"x", Media{.name = "a.png", .bytes = nullptr}}}),
      HasSubstr("input 'x': expected numbers, as x: f32[1], not a "
                "file"));
}

TEST(Inputs, RefusesPortsThatAreNone) {
  const auto error = [](const std::string& tensors) {
    return error_of("{use: core.inputs, tensors: " + tensors + "}", {});
  };
  EXPECT_THAT(error("[]"), HasSubstr("name what a request gives"));
  EXPECT_THAT(error("['x']"), HasSubstr("'x' is not written as"));
  EXPECT_THAT(error("['x: text']"), HasSubstr("text is no dtype of tensors"));
  EXPECT_THAT(error("['x: f32[1]', 'x: f32[2]']"),
              HasSubstr("two are named 'x'"));
}

TEST(Inputs, ObeysTheRulesOfAPreprocess) {
  EXPECT_EQ(testing::stage_faults("{use: core.inputs, tensors: ['x: f32[2]']}",
                                  {.inputs = {{"x", Json{"[1, 2]"}}}}),
            "");
}

}  // namespace
}  // namespace penstock::core
