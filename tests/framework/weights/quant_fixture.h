// The blocks of quantised weights that tests/golden/make_quants.py made, as
// bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace penstock {

/// Of tests/fixtures/quants.
[[nodiscard]] inline std::vector<std::byte> read_quant_fixture(
    const std::string& name) {
  const auto path = std::filesystem::path(PENSTOCK_FIXTURES) / "quants" / name;
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  in.read(reinterpret_cast<char*>(bytes.data()),
          static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

}  // namespace penstock
