// A run ends when nobody waits for it; caches and precisions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <ATen/ops/all.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/ones.h>
#include <filesystem>
#include <thread>

#include "penstock/testing/difference.h"
#include "tests/plugins/openvino/support.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct Loaded {
  explicit Loaded(const std::string& name,
                  const openvino::SessionOptions& options =
                      {.precision = "fp32", .cache = "", .threads = 1})
      : head(read_model_head(model(name))),
        ports(model_ports(head)),
        session(head, ports, options) {}
  ModelHead head;
  ModelPorts ports;
  openvino::Session session;
};

/// With them a run takes some ten seconds.
constexpr std::int64_t kRows = 200000;
/// By when it must have ended where it is cancelled.
constexpr milliseconds kSoon{3000};

TEST(Session, EndsWhenEveryOneHasStopped) {
  Loaded slow("slow.onnx");
  (void)slow.session.run({at::ones({1, 32})}, {});  // is over at once
  std::stop_source first;
  std::stop_source second;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(30));
    first.request_stop();
    std::this_thread::sleep_for(milliseconds(30));
    second.request_stop();
  });
  const auto begin = Clock::now();
  EXPECT_THROW(
      (void)slow.session.run(
          {at::ones({kRows, 32})},
          {.stops = {first.get_token(), second.get_token()}, .deadline = {}}),
      Cancelled);
  EXPECT_GE(Clock::now() - begin, milliseconds(55));
  EXPECT_LT(Clock::now() - begin, kSoon);
}

TEST(Session, EndsAtTheDeadline) {
  Loaded slow("slow.onnx");
  const auto begin = Clock::now();
  EXPECT_THROW((void)slow.session.run(
                   {at::ones({kRows, 32})},
                   {.stops = {}, .deadline = begin + milliseconds(50)}),
               Cancelled);
  EXPECT_LT(Clock::now() - begin, kSoon);
}

TEST(Session, RunsOnAfterOneThatWasCancelled) {
  Loaded affine("affine.onnx");
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_THROW(
      (void)affine.session.run(
          {at::ones({1, 4})}, {.stops = {stopped.get_token()}, .deadline = {}}),
      Cancelled);
  const auto out = affine.session.run({at::ones({2, 4})}, {});
  ASSERT_EQ(out.size(), 1);
  EXPECT_EQ(out[0].sizes(), (std::vector<std::int64_t>{2, 3}));
}

TEST(Session, TakesABatchOfNoRows) {
  Loaded affine("affine.onnx");
  const auto out = affine.session.run({at::ones({0, 4})}, {});
  EXPECT_EQ(out.at(0).sizes(), (std::vector<std::int64_t>{0, 3}));
}

TEST(Session, LeavesWhatItMadeAlone) {
  Loaded scales("scales.onnx");
  const at::Tensor scale = at::ones({3}) * 2;
  const auto run = [&](std::int64_t rows, double x) {
    return scales.session.run({at::ones({rows, 3}) * x, scale}, {})[0];
  };
  const at::Tensor first = run(200000, 1);  // 2.4 MB
  for (const std::int64_t rows : {200000, 300000, 150000, 200000, 2}) {
    const at::Tensor made = run(rows, static_cast<double>(rows));
    EXPECT_EQ(made.sizes(), at::IntArrayRef({rows, 3}));
    EXPECT_TRUE(made.eq(2 * rows).all().item<bool>());
    EXPECT_TRUE(first.eq(2).all().item<bool>());
  }
}

TEST(Session, MakesWhatOutlivesIt) {
  at::Tensor made;
  {
    Loaded scales("scales.onnx");
    made =
        scales.session.run({at::ones({200000, 3}), at::ones({3}) * 2}, {})[0];
  }
  EXPECT_TRUE(made.eq(2).all().item<bool>());
}

TEST(Session, KeepsCompiledModelsInItsCache) {
  const fs::path folder = fs::temp_directory_path() /
                          ("penstock_openvino_" + std::to_string(getpid()));
  const openvino::SessionOptions options{
      .precision = "fp32", .cache = folder.string(), .threads = 1};
  const at::Tensor x = at::ones({1, 4});
  Loaded first("affine.onnx", options);
  ASSERT_FALSE(fs::is_empty(folder));
  Loaded second("affine.onnx", options);
  EXPECT_EQ(difference(second.session.run({x}, {}).at(0),
                       first.session.run({x}, {}).at(0)),
            "");
  fs::remove_all(folder);
}

TEST(Session, RunsWithWhatTheCpuLikes) {
  Loaded free("affine.onnx", {.precision = "auto", .cache = "", .threads = 2});
  Loaded exact("affine.onnx");
  EXPECT_EQ(exact.session.dtype(), "fp32");
  const at::Tensor x = at::ones({3, 4});
  EXPECT_TRUE(free.session.run({x}, {}).at(0).allclose(
      exact.session.run({x}, {}).at(0), 0.05, 0.05));
}

TEST(Session, SaysThatAnOperatorIsMissing) {
  try {
    Loaded bad("bad_custom_op.onnx");
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.text(),
              model("bad_custom_op.onnx") +
                  ": OpenVINO has no operation MyOp of my.company (node "
                  "'foo')");
  }
}

}  // namespace
}  // namespace penstock::testing
