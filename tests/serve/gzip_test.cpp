#include "pipeline_serve/http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {
namespace {

constexpr int kGzip = 16;

std::string packed(const std::string& text, int window_bits = 15 + kGzip) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Status of the refusal; 0: there was none.
template <class Call>
int gzip_refusal(const Call& call) {
  try {
    call();
  } catch (const HttpError& error) {
    EXPECT_FALSE(error.message.empty());
    return error.status;
  }
  return 0;
}

TEST(Gzip, GivesWhatWasPacked) {
  const std::string text = "{\"inputs\": []}" + std::string(200000, ' ');
  EXPECT_EQ(gunzip(packed(text), 1 << 20), text);
  EXPECT_EQ(gunzip(packed(text) + packed("b"), 1 << 20), text + "b");
  EXPECT_EQ(gunzip(packed(""), 1 << 20), "");
}

TEST(Gzip, StopsAtTheMostBytes) {
  const std::string bomb = packed(std::string(std::size_t{64} << 20U, '\0'));
  EXPECT_LT(bomb.size(), std::size_t{100} << 10U);
  EXPECT_EQ(gzip_refusal([&] { (void)gunzip(bomb, 1 << 20); }), 413);
  EXPECT_EQ(gunzip(packed("abc"), 3), "abc");
  EXPECT_EQ(gzip_refusal([] { (void)gunzip(packed("abcd"), 3); }), 413);
}

TEST(Gzip, RefusesWhatIsNone) {
  std::string flipped = packed("some text that is long enough");
  flipped[flipped.size() - 6] ^= 1;  // the check sum
  for (const std::string& bytes :
       {std::string(), std::string("{}"), packed("text").substr(0, 12),
        packed("text") + "rest", flipped, packed("text", 15)}) {
    EXPECT_EQ(gzip_refusal([&] { (void)gunzip(bytes, 1 << 20); }), 400)
        << bytes;
  }
}

TEST(Gzip, KnowsTheWordsOfContentEncoding) {
  EXPECT_EQ(unpacked("", "text", 9), "text");
  EXPECT_EQ(unpacked("identity", "text", 9), "text");
  EXPECT_EQ(unpacked("GZip", packed("text"), 9), "text");
  EXPECT_EQ(unpacked("x-gzip", packed("text"), 9), "text");
  EXPECT_EQ(unpacked("deflate", packed("text", 15), 9), "text");
  EXPECT_EQ(gzip_refusal([] { (void)unpacked("br", "text", 9); }), 415);
  EXPECT_EQ(gzip_refusal([] { (void)unpacked("gzip, gzip", "text", 9); }), 415);
  EXPECT_EQ(gzip_refusal([] { (void)unpacked("deflate", packed("a"), 9); }),
            400);
}

}  // namespace
}  // namespace penstock::serve
