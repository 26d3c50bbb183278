#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "penstock/testing/run_stage.h"
#include "penstock/testing/stage_faults.h"

namespace my_plugin {
namespace {

using penstock::testing::run_stage;
using penstock::testing::stage_faults;

TEST(MyForward, SaysWhatFollowedTheTokenBefore) {
  const auto made = run_stage(
      "{use: my_plugin.my_forward}",
      {.items = {{.tokens = {1, 2, 3, 1}}, {.tokens = {9}}}, .new_tokens = 3});
  penstock::Tokens first;
  penstock::Tokens second;
  for (const auto& decoded : made.decoded) {
    auto& tokens = decoded.item->index == 0 ? first : second;
    tokens.insert(tokens.end(), decoded.tokens.begin(), decoded.tokens.end());
  }
  EXPECT_EQ(first, (penstock::Tokens{2, 3, 1}));
  EXPECT_EQ(second, (penstock::Tokens{9, 9, 9}));
}

/// A file in which each byte is followed by the next one.
std::string weights() {
  const std::string path = ::testing::TempDir() + "my_forward.safetensors";
  const std::string header = R"({"follows":{"dtype":"F32","shape":[256,256],)"
                             R"("data_offsets":[0,262144]}})";
  std::vector<float> table(256 * 256);
  for (std::size_t i = 0; i < 256; ++i) table[i * 256 + (i + 1) % 256] = 1;
  std::ofstream out(path, std::ios::binary);
  const std::uint64_t length = header.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << header;
  out.write(reinterpret_cast<const char*>(table.data()), 4 * 256 * 256);
  return path;
}

TEST(MyForward, ScoresAsItsWeightsSay) {
  const auto made = run_stage(
      "{use: my_plugin.my_forward}",
      {.model = weights(), .items = {{.tokens = {7, 8}}}, .new_tokens = 3});
  penstock::Tokens tokens;
  for (const auto& decoded : made.decoded) {
    tokens.insert(tokens.end(), decoded.tokens.begin(), decoded.tokens.end());
  }
  EXPECT_EQ(tokens, (penstock::Tokens{9, 10, 11}));
}

TEST(MyForward, DoesWhatEveryStageMust) {
  // Of a Forward with state this also cuts and replays; 8 tokens or more each.
  EXPECT_EQ(stage_faults("{use: my_plugin.my_forward}",
                         {.items = {{.tokens = {3, 1, 4, 1, 5, 9, 2, 6}},
                                    {.tokens = {2, 7, 1, 8, 2, 8, 1, 8, 2}}},
                          .new_tokens = 3}),
            "");
}

}  // namespace
}  // namespace my_plugin
