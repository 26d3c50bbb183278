// Bodies: by length and in chunks, in any pieces.
#include "pipeline_serve/http/body.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

Head chunked() {
  Head head;
  head.is_chunked = true;
  return head;
}

/// The body of `text` that comes in pieces of `size` bytes; what is left.
std::pair<std::string, std::string> read(const Head& head,
                                         const std::string& text,
                                         std::size_t size, std::size_t most) {
  BodyReader body(head, most);
  std::string bytes;
  std::size_t at = 0;
  while (!body.is_whole() && at < text.size()) {
    bytes += text.substr(at, size);
    at += size;
    body.read(bytes);
  }
  EXPECT_TRUE(body.is_whole());
  return {body.take(), bytes + text.substr(std::min(at, text.size()))};
}

TEST(Body, OfALengthIsTakenInPieces) {
  Head head;
  head.length = 5;
  for (const std::size_t size : {1U, 3U, 100U}) {
    EXPECT_EQ(read(head, "hellonext", size, 5),
              (std::pair<std::string, std::string>("hello", "next")));
  }
}

TEST(Body, OfChunksIsJoined) {
  const std::string text =
      "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\nnext";
  for (const std::size_t size : {1U, 4U, 100U}) {
    EXPECT_EQ(read(chunked(), text, size, 5),
              (std::pair<std::string, std::string>("hello", "next")));
  }
}

int refused(const Head& head, const std::string& text, std::size_t most) {
  try {
    BodyReader body(head, most);
    std::string bytes = text;
    body.read(bytes);
  } catch (const HttpError& error) {
    return error.status;
  }
  return 0;
}

TEST(Body, ThatIsTooLongIsRefused) {
  Head head;
  head.length = 6;
  EXPECT_EQ(refused(head, "", 5), 413);
  EXPECT_EQ(refused(chunked(), "6\r\nhellos\r\n", 5), 413);
  EXPECT_EQ(refused(chunked(), "7fffffffffffffff\r\n", 5), 413);
}

TEST(Body, OfBrokenChunksIsRefused) {
  for (const char* size :
       {"zz", "-1", "0x5", "", " 5", "5 5", "+5", "5\n", "FFFFFFFFFFFFFFFFF"}) {
    EXPECT_EQ(refused(chunked(), std::string(size) + "\r\nhello\r\n", 100), 400)
        << size;
  }
  EXPECT_EQ(refused(chunked(), "5;" + std::string(10000, 'x'), 100), 400);
}

}  // namespace
}  // namespace penstock::serve
