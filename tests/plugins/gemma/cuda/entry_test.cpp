// Which kernels the library loads on which card: those for sm_90a on compute
// capability 9.0 alone, as a newer card has no code for them either.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gemma/cuda/library.h"
#include "tests/plugins/lib/gpu/fake_cudart.h"

extern "C" const penstock::gemma::cuda::CudaLibrary* penstock_gemma_cuda();

namespace penstock::gemma::cuda {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

// Where the code of kernels would be.
const char code_of_all = 0;
const char code_of_groups[3] = {};

std::set<const void*> groups_code() {
  return {&code_of_groups[0], &code_of_groups[1], &code_of_groups[2]};
}

Kernels kernels_of(bool has_groups) {
  Kernels out;
  out.qkv.name = "qkv";
  out.qkv.device = &code_of_all;
  if (!has_groups) return out;
  int next = 0;
  for (Kernel* each : std::initializer_list<Kernel*>{
           &out.groups.product, &out.groups.gated_product,
           &out.groups.attention_tile}) {
    each->name = "of_groups";
    each->device = &code_of_groups[next++];
  }
  return out;
}

}  // namespace

const Kernels& device_kernels(NumberType /*type*/, bool has_groups) {
  static const Kernels with_groups = kernels_of(true);
  static const Kernels plain = kernels_of(false);
  return has_groups ? with_groups : plain;
}

namespace {

struct Card {
  int major, minor;
  bool has_bf16, has_groups;
};
void PrintTo(const Card& card, std::ostream* os) {
  *os << card.major << '.' << card.minor;
}
class Cards : public ::testing::TestWithParam<Card> {
 protected:
  void TearDown() override { gpu::set_compute_capability(9, 0); }
};

TEST_P(Cards, GetTheKernelsThatTheyHaveCodeFor) {
  const Card& card = GetParam();
  gpu::set_compute_capability(
      card.major, card.minor,
      card.has_groups ? std::set<const void*>() : groups_code());
  (void)gpu::take_loaded();
  const auto api = penstock_gemma_cuda()->open(0);
  const auto loaded = gpu::take_loaded();
  EXPECT_THAT(loaded, Contains(&code_of_all));
  if (card.has_groups) {
    EXPECT_THAT(loaded, IsSupersetOf(groups_code()));
  } else {
    for (const void* each : groups_code()) {
      EXPECT_THAT(loaded, Not(Contains(each)));
    }
  }
  const gpu::DeviceFacts facts = api->facts();
  EXPECT_EQ(facts.major, card.major);
  EXPECT_EQ(facts.minor, card.minor);
  EXPECT_EQ(facts.has_bf16, card.has_bf16);
  EXPECT_EQ(facts.has_groups, card.has_groups) << "what the engine goes by";
}

INSTANTIATE_TEST_SUITE_P(
    All, Cards,
    ::testing::Values(Card{7, 5, false, false}, Card{8, 9, true, false},
                      Card{9, 0, true, true}, Card{10, 0, true, false},
                      Card{12, 0, true, false}),
    [](const auto& test) {
      return "Of" + std::to_string(10 * test.param.major + test.param.minor);
    });

}  // namespace
}  // namespace penstock::gemma::cuda
