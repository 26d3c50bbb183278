// What all forms of DeviceApi do alike: that of a card, on a CUDA runtime of
// the test's own, and the simulated one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lib/gpu/cudart_api.h"
#include "lib/gpu/simulated_api.h"
#include "penstock/error.h"
#include "tests/plugins/lib/gpu/fake_cudart.h"

namespace penstock::gpu {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

std::unique_ptr<DeviceApi> simulated() {
  return std::make_unique<SimulatedApi>();
}
std::unique_ptr<DeviceApi> of_a_card() { return open_cudart(0, {}); }

struct Form {
  const char* name;
  std::unique_ptr<DeviceApi> (*make)();
};
void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }
class Forms : public ::testing::TestWithParam<Form> {};

/// Calls that can be no part of a graph, by their names.
std::map<std::string, std::function<void(DeviceApi&)>> refused() {
  return {
      {"allocate", [](DeviceApi& api) { const Memory taken(api, 64); }},
      {"allocate_pinned", [](DeviceApi& api) { const Pinned taken(api, 64); }},
      {"begin_capture",
       [](DeviceApi& api) {
         api.begin_capture();
         api.destroy(api.end_capture());
       }},
      {"mark", [](DeviceApi& api) { api.mark(0); }},
      {"wait", [](DeviceApi& api) { api.wait(); }},
      {"wait_for", [](DeviceApi& api) { api.wait_for(0); }}};
}

TEST_P(Forms, RefuseWhatIsNoPartOfAGraph) {
  const auto api = GetParam().make();
  const Memory there(*api, 64);
  const Pinned here(*api, 64);
  api->begin_capture();
  api->fill(there.as<>(), 7, 64);
  for (const auto& [name, call] : refused()) {
    (void)take_cuda_calls();
    try {
      call(*api);
      ADD_FAILURE() << name << " was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInternal);
      EXPECT_THAT(
          error.text(),
          StartsWith(name + " while capturing: a graph is made of copies"));
    }
    EXPECT_THAT(take_cuda_calls(), ElementsAre()) << name;
  }
  // The graph is what it was before, and behind it all are taken again.
  api->copy_out(here.as<>(), there.as<>(), 64);
  const auto graph = api->end_capture();
  here.as<char>()[63] = 0;
  api->replay(graph);
  api->wait();
  EXPECT_EQ(here.as<char>()[63], 7);
  for (const auto& [name, call] : refused()) EXPECT_NO_THROW(call(*api));
  api->destroy(graph);
}

INSTANTIATE_TEST_SUITE_P(All, Forms,
                         ::testing::Values(Form{"Card", of_a_card},
                                           Form{"Simulated", simulated}),
                         [](const auto& test) { return test.param.name; });

TEST(CudartApi, CapturesNoMoreWhereAGraphDoesNotFit) {
  const auto api = of_a_card();
  api->begin_capture();
  fail_next_graph();
  try {
    (void)api->end_capture();
    FAIL() << "there was memory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kRetry);
  }
  (void)take_cuda_calls();
  api->mark(1);
  api->wait_for(1);
  EXPECT_THAT(take_cuda_calls(),
              ElementsAre("cudaEventRecord", "cudaEventSynchronize"));
}

/// Drivers before R530 take 4 KiB of params: whoever asks for such a kernel is
/// told, and all others run.
TEST(CudartApi, LoadsNoKernelThatItsDriverCannotLaunch) {
  const char small_code = 0;
  const char large_code = 0;
  const Kernel small{
      .name = "head", .device = &small_code, .params_bytes = kPlainParams};
  const Kernel large{
      .name = "step", .device = &large_code, .params_bytes = kPlainParams + 1};
  const std::vector<const Kernel*> all{&small, &large};
  set_driver(12000, &large_code);
  const auto api = open_cudart(0, all);
  EXPECT_EQ(api->facts().driver, 12000);
  EXPECT_EQ(why_not_launched(small, 12000), "");
  EXPECT_EQ(why_not_launched(large, 12000),
            "the driver runs CUDA 12.0 at most, and the kernel step has 4097 "
            "bytes of params, which need 12.1 (R530); install a newer driver");
  EXPECT_EQ(why_not_launched(large, kLargeParamsCuda), "");
  set_driver(kLargeParamsCuda, &large_code);
  EXPECT_THROW((void)open_cudart(0, all), Error) << "it is loaded here";
  set_driver(13000);
}

}  // namespace
}  // namespace penstock::gpu
