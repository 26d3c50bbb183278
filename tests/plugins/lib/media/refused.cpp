#include "tests/plugins/lib/media/refused.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace penstock::media {

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

void expect_refused(const Bad& bad) {
  try {
    bad.run();
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), bad.code);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(bad.text));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

std::string file_with(const std::string& name, const std::string& bytes) {
  std::string path = ::testing::TempDir() + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace penstock::media
