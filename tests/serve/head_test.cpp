// Heads of requests: what is read, and what is refused with which status.
#include "pipeline_serve/http/head.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

Head read(const std::string& text) {
  auto out = read_head(text, Limits());
  const auto* error = std::get_if<HttpError>(&out);
  EXPECT_EQ(error, nullptr) << (error == nullptr ? "" : error->message);
  return error == nullptr ? std::get<Head>(out) : Head();
}

TEST(Head, IsRead) {
  const Head head = read(
      "POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  12 \r\n"
      "Expect: 100-Continue\r\n\r\n");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/x?y=1");
  EXPECT_EQ(head.length, 12U);
  EXPECT_TRUE(head.wants_continue);
  EXPECT_TRUE(head.keeps_alive);
  EXPECT_EQ(head.fields.get("HOST"), "a");
}

TEST(Head, OfAnAbsoluteTargetHasItsPath) {
  EXPECT_EQ(read("GET http://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n").target,
            "/p?q");
  EXPECT_EQ(read("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n").target, "/");
}

TEST(Head, SaysHowLongTheConnectionLives) {
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").keeps_alive);
  EXPECT_TRUE(
      read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n")
                   .keeps_alive);
}

TEST(Head, EndsAtItsEmptyLine) {
  EXPECT_EQ(head_size("GET / HTTP/1.1\r\nHost: a\r\n"), 0U);
  EXPECT_EQ(head_size("GET / HTTP/1.1\r\n\r\nmore"), 18U);
  EXPECT_EQ(head_size("\r\nGET / HTTP/1.1\r\n\r\n"), 20U);
}

struct Bad {
  std::string name, text;
  int status;
};
void PrintTo(const Bad& c, std::ostream* os) { *os << c.name; }
class BadHeads : public ::testing::TestWithParam<Bad> {};

TEST_P(BadHeads, AreRefused) {
  const auto out = read_head(GetParam().text, Limits());
  const auto* error = std::get_if<HttpError>(&out);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->status, GetParam().status) << error->message;
  EXPECT_FALSE(error->message.empty());
}

/// A POST with these lines.
std::string with(const std::string& lines) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadHeads,
    ::testing::ValuesIn<Bad>({
        {"NoVersion", "GET /\r\n\r\n", 400},
        {"Http2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"FourWords", "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400},
        {"NoPath", "GET health HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        {"TwoHosts", with("Host: b"), 400},
        {"SpaceBeforeColon", with("X : 1"), 400},
        {"Folded", with("X: 1\r\n folded"), 400},
        {"NoColon", with("NoColon"), 400},
        {"NoName", with(": 1"), 400},
        {"BareCr", with("X: a\rb"), 400},
        {"BareLf", with("X: a\nY: b"), 400},
        {"Nul", with(std::string("X: a\0b", 6)), 400},
        {"TwoLengths", with("Content-Length: 1\r\nContent-Length: 1"), 400},
        {"NegativeLength", with("Content-Length: -1"), 400},
        {"SignedLength", with("Content-Length: +1"), 400},
        {"HugeLength", with("Content-Length: 18446744073709551617"), 400},
        {"LengthAndChunks",
         with("Content-Length: 1\r\nTransfer-Encoding: chunked"), 400},
        {"Identity", with("Transfer-Encoding: chunked, identity"), 501},
        {"Twice",
         with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 501},
        {"Expectation", with("Expect: wonders"), 417},
        {"LongHeader", with("X: " + std::string(9000, 'a')), 431},
        {"LongTarget",
         "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
         414},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Head, OfTooManyFieldsIsRefused) {
  std::string lines = "A: 1";
  for (int i = 0; i < 64; ++i) lines += "\r\nA: 1";
  const auto out = read_head(with(lines), Limits());
  ASSERT_TRUE(std::holds_alternative<HttpError>(out));
  EXPECT_EQ(std::get<HttpError>(out).status, 431);
}

TEST(Head, ThatIsNoHttpIsToldEarly) {
  EXPECT_TRUE(look_early("\x16\x03\x01", Limits()));
  EXPECT_TRUE(look_early(std::string(3, '\0'), Limits()));
  EXPECT_TRUE(look_early("hello\r\n", Limits()));
  EXPECT_TRUE(look_early(std::string(9000, 'a'), Limits()));
  EXPECT_FALSE(look_early("GE", Limits()));
  EXPECT_FALSE(look_early("\r\n", Limits()));
  EXPECT_FALSE(look_early("GET / HTTP/1.1\r\nHost", Limits()));
}

}  // namespace
}  // namespace penstock::serve
