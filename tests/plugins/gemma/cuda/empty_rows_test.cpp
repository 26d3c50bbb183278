// Rows that fill a captured graph cost nothing where tokens are chosen: their
// scores are all alike, and k turns would find the best of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>

#include "gemma/cuda/answers.h"
#include "tests/plugins/gemma/cuda/ahead_runs.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

/// Remembers where the last copy to the host was told to go.
class KeepingApi final : public gpu::AroundApi {
 public:
  using AroundApi::AroundApi;

  void copy_out(void* host, const void* device, std::size_t bytes) override {
    last = {static_cast<const std::byte*>(host), bytes};
    AroundApi::copy_out(host, device, bytes);
  }

  std::span<const std::byte> last;
};

class EmptyRows : public OnOneThread {};

/// Decodes `rows` rows in a graph of `launched`, and looks at what all of those
/// are answered for their best 72.
void expect_skipped(std::size_t rows, std::size_t launched, bool screens,
                    bool is_one_kernel) {
  SCOPED_TRACE(::testing::Message() << rows << " rows of " << launched);
  auto api =
      std::make_shared<KeepingApi>(std::make_shared<gpu::SimulatedApi>());
  EngineForward cuda(sim_engine(tiny("scaled.gguf"),
                                {.type = NumberType::kBf16,
                                 .slots = 9,
                                 .chunk = 64,
                                 .rows = 64,
                                 .runs_ahead = false,
                                 .is_one_kernel = is_one_kernel,
                                 .screens = screens},
                                api));
  Sequences all(cuda, rows);
  for (std::size_t i = 0; i < rows; ++i) {
    all.at(i).tokens = {2, 300 + static_cast<std::int64_t>(i)};
    all.at(i).want = {.top = kMostBest, .ids = {}};
  }
  (void)all.run_rest();
  for (std::size_t i = 0; i < rows; ++i) all.at(i).tokens.push_back(301);
  (void)all.run_rest();

  HeadWants wants({}, {});
  wants.k = kMostBest;
  const AnswerLayout layout(wants, static_cast<std::int64_t>(launched),
                            /*is_drawn=*/false);
  ASSERT_EQ(std::ssize(api->last), layout.bytes);
  const std::span ids(
      reinterpret_cast<const std::int32_t*>(api->last.data() + layout.ids),
      launched * kMostBest);
  const auto filled = ids.first(rows * kMostBest);
  EXPECT_EQ(std::count(filled.begin(), filled.end(), -1), 0);
  const auto empty = ids.subspan(rows * kMostBest);
  EXPECT_EQ(std::count(empty.begin(), empty.end(), -1), std::ssize(empty));
}

TEST_F(EmptyRows, OfAGraphAreNotChosenFrom) {
  for (const std::size_t rows : {3, 5, 6, 7}) {
    const std::size_t launched = rows == 3 ? 4 : 8;
    expect_skipped(rows, launched, false, false);
    expect_skipped(rows, launched, true, false);
    expect_skipped(rows, launched, false, true);
  }
  expect_skipped(9, 16, false, false);
}

}  // namespace
}  // namespace penstock::gemma::cuda
