// pipeline-inspect --devices, with a driver that the test brings along.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/framework/plugin/run_program.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

Ran devices(const std::vector<std::string>& environment,
            const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{PENSTOCK_PIPELINE_INSPECT, "--devices"};
  command.insert(command.end(), more.begin(), more.end());
  std::vector<std::string> all{"LD_LIBRARY_PATH=" PENSTOCK_FAKE_DRIVER};
  all.insert(all.end(), environment.begin(), environment.end());
  const Ran ran = run_program(command, all);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  return ran;
}

TEST(Devices, AreListedAsTheDriverCountsThem) {
  const Ran ran = devices({"FAKE_GPUS=2"});
  EXPECT_THAT(ran.out, HasSubstr("  cpu     "));
  EXPECT_THAT(ran.out,
              HasSubstr("  cuda:0  Fake H200 (UUID: "
                        "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f), compute "
                        "capability 9.0, 100.0 of 141.0 GiB free\n"));
  EXPECT_THAT(ran.out, HasSubstr("  cuda:1  Fake H200 (UUID: GPU-01020304-"));
  EXPECT_THAT(ran.out, HasSubstr("9.0, 141.0 GiB\n")) << "nobody says more";
  // This driver runs CUDA 12.8 at most, which is too old for any build.
  EXPECT_THAT(ran.out, HasSubstr("gemma.forward: cannot be used: engine: "
                                 "native: "));
  EXPECT_THAT(ran.out, HasSubstr("CUDA 12.8"));
}

/// All plugins are asked together, and each alone where one of them crashes.
TEST(Devices, AreToldThoughAPluginEndsTheProcess) {
  const TempFolder folder;
  folder.add("broken/constructor", "constructor");
  const Ran ran = devices({"FAKE_GPUS=1", "PENSTOCK_TEST_CONSTRUCTOR=segfault"},
                          {"--plugin-path", folder.path()});
  EXPECT_THAT(ran.out, HasSubstr("gemma.forward: cannot be used: engine: "));
}

Ran check(const std::string& device, const std::vector<std::string>& more) {
  std::vector<std::string> environment{"LD_LIBRARY_PATH=" PENSTOCK_FAKE_DRIVER};
  environment.insert(environment.end(), more.begin(), more.end());
  return run_program(
      {PENSTOCK_PIPELINE_RUN, PENSTOCK_SOURCE_DIR "/pipelines/gemma_text.yaml",
       "--set", "model=" PENSTOCK_SOURCE_DIR "/tests/fixtures/tiny/tiny.gguf",
       "--set", "device=" + device, "--check"},
      environment);
}

TEST(Devices, ThatCannotBeUsedAreRefusedInALine) {
  struct Case {
    std::string device;
    std::vector<std::string> environment;
    std::string why;  ///< a regular expression
  };
  const std::vector<Case> cases{
      // The second on a machine with a card.
      {"cuda",
       {"LD_LIBRARY_PATH=" PENSTOCK_NO_DRIVER},
       "no (NVIDIA driver is here|driver for it) .libcuda"},
      {"cuda", {"FAKE_GPUS=0"}, "the NVIDIA driver finds no GPU"},
      {"cuda:1", {"FAKE_GPUS=1"}, "'cuda:1' does not exist: 1 GPUs are here"},
      {"cuda", {"FAKE_GPUS=1"}, "to gemma.forward: engine: native: "},
  };
  for (const Case& each : cases) {
    const Ran ran = check(each.device, each.environment);
    EXPECT_EQ(ran.code, 69) << ran.err;
    EXPECT_THAT(ran.err, ContainsRegex(each.why));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
}

#ifdef PENSTOCK_HAS_GEMMA_CUDA
/// Of a build with nvcc, whatever its libtorch.
TEST(Devices, AreForAStageThatHasAnEngineForThem) {
  const std::vector<std::string> environment{"FAKE_GPUS=2",
                                             "FAKE_CUDA_VERSION=13000"};
  const Ran ran = check("cuda:1", environment);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("device cuda:1, "));
  EXPECT_THAT(check("auto", environment).err,
              HasSubstr("auto took cuda:0: the first GPU here, Fake H200"));
  const std::string told = devices(environment).out;
  EXPECT_THAT(told, HasSubstr("gemma.forward: can be used\n"));
  EXPECT_THAT(told, HasSubstr("gemma.forward, not with engine: reference: "))
      << "which needs a libtorch with CUDA";
  EXPECT_THAT(told, Not(HasSubstr("not with step"))) << "of a new driver";
  const auto json = nlohmann::json::parse(devices(environment, {"--json"}).out);
  EXPECT_THAT(json["devices"][1]["not_with"]["gemma.forward"][0],
              HasSubstr("engine: reference: "));
}

TEST(Devices, OfAnArchitectureWithoutCodeAreRefused) {
  const Ran ran = check(
      "cuda", {"FAKE_GPUS=1", "FAKE_CUDA_VERSION=13000", "FAKE_CAPABILITY=7"});
  EXPECT_EQ(ran.code, 69) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Fake H200 has 70"));
}
#endif

TEST(Devices, OfADriverThatFindsNoneOrDoesNotStart) {
  EXPECT_THAT(
      devices({"FAKE_GPUS=0"}).out,
      HasSubstr("cuda  cannot be used: the NVIDIA driver finds no GPU"));
  EXPECT_THAT(devices({"FAKE_CUINIT=100"}).out, HasSubstr("finds no GPU"));
  EXPECT_THAT(devices({"FAKE_CUINIT=803"}).out,
              HasSubstr("of different versions; restart"));
  EXPECT_THAT(devices({"FAKE_CUINIT=34"}).out, HasSubstr("stub, no driver"));
  EXPECT_THAT(devices({"FAKE_CUINIT=999"}).out, HasSubstr("(cuInit: 999)"));
}

TEST(Devices, AreJsonToo) {
  const auto json =
      nlohmann::json::parse(devices({"FAKE_GPUS=2"}, {"--json"}).out);
  ASSERT_EQ(json["devices"].size(), 3);
  EXPECT_EQ(json["devices"][1]["device"], "cuda:0");
  EXPECT_EQ(json["devices"][1]["compute_capability"], "9.0");
  EXPECT_EQ(json["devices"][1]["free_bytes"], std::int64_t{100} << 30);
  EXPECT_TRUE(json["devices"][2]["free_bytes"].is_null());
  EXPECT_EQ(json["devices"][1]["is_usable"], false);
  EXPECT_THAT(json["devices"][1]["why_not"]["gemma.forward"],
              HasSubstr("engine: native: "));
  EXPECT_EQ(json["driver"], "580.65.06");
}

TEST(Devices, AreNotAskedForBesideAnotherQuestion) {
  const Ran ran = run_program({PENSTOCK_PIPELINE_INSPECT, "--devices", "core"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--devices"));
  EXPECT_THAT(ran.out, Not(HasSubstr("cpu")));
}

}  // namespace
}  // namespace penstock
