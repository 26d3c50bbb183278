// Files that gzip packed: plain ones, damaged ones, bombs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "penstock/error.h"
#include "speech/english/voice_files.h"

namespace penstock::speech {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kPacked =
    std::filesystem::path(::testing::TempDir()) / "packed.gz";

void pack(const std::string& text) {
  gzFile file = gzopen(kPacked.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
}

std::string unpacked_or_error(std::size_t most) {
  try {
    const std::string text = unpacked(kPacked, most);
    return text.size() > 100 ? str(text.size(), " bytes") : text;
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Unpacked, GivesWhatWasPackedOrNot) {
  const std::string text(200'000, 'a');
  pack(text);
  EXPECT_EQ(unpacked_or_error(1 << 20), "200000 bytes");
  std::ofstream(kPacked) << "plain";
  EXPECT_EQ(unpacked_or_error(1 << 20), "plain");
}

TEST(Unpacked, RefusesBombsAndDamage) {
  pack(std::string(1 << 22, 'a'));
  EXPECT_THAT(unpacked_or_error(1 << 20), HasSubstr("more than 1048576 bytes"));
  std::stringstream bytes;
  bytes << std::ifstream(kPacked).rdbuf();
  std::ofstream(kPacked) << bytes.str().substr(0, bytes.str().size() / 2);
  EXPECT_THAT(unpacked_or_error(1 << 23), HasSubstr("damaged"));
}

TEST(Unpacked, MissingFilesSayWhereTheyBelong) {
  std::filesystem::remove(kPacked);
  EXPECT_THAT(unpacked_or_error(9), HasSubstr("beside the voice's model"));
}

}  // namespace
}  // namespace penstock::speech
