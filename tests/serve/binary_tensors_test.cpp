#include "pipeline_serve/api/inference/binary_tensors.h"

#include <gtest/gtest.h>

#include "penstock/error.h"
#include "pipeline_serve/api/base64.h"

namespace penstock::serve {
namespace {

using namespace std::string_literals;

/// The complaint; empty: there was none.
template <class Call>
std::string complaint(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    return error.text();
  }
  return {};
}

TEST(BinaryTensors, AreReadAsTheyWereWritten) {
  const std::vector<std::string> elements{"", "a", "\0b\xff"s,
                                          std::string(70000, 'x')};
  std::string tensor;
  for (const std::string& each : elements) pack_bytes(each, tensor);
  EXPECT_EQ(tensor.substr(0, 9), "\0\0\0\0\1\0\0\0a"s);
  const auto read = unpack_bytes(tensor, elements.size(), "t");
  EXPECT_EQ(std::vector<std::string>(read.begin(), read.end()), elements);
}

TEST(BinaryTensors, BelieveNoLength) {
  struct Case {
    std::string bytes;
    std::string complaint;
  };
  for (const Case& each :
       {Case{"\1\0\0"s, "ends within the length of element 0"},
        Case{"\2\0\0\0a"s, "element 0 says that it has 2 bytes; 1 are left"},
        Case{"\xff\xff\xff\xff"s, "says that it has 4294967295 bytes; 0 are"},
        Case{"\1\0\0\0ab"s, "more than the 1 elements"},
        Case{"\0\0\0\0\0\0\0\0"s, "more than the 1 elements"},
        Case{""s, "has 0 elements, but its shape has 1"}}) {
    const auto text =
        complaint([&] { (void)unpack_bytes(each.bytes, 1, "inputs[0]"); });
    EXPECT_NE(text.find(each.complaint), text.npos) << text;
    EXPECT_TRUE(text.starts_with("inputs[0]")) << text;
  }
}

TEST(BinaryTensors, StandBehindTheJson) {
  const auto split = split_body("{}abc", "2");
  EXPECT_EQ(split.json, "{}");
  EXPECT_EQ(split.tensors, "abc");
  EXPECT_TRUE(split.is_binary);
  EXPECT_EQ(split_body("{}", "").json, "{}");
  EXPECT_FALSE(split_body("{}", "").is_binary);
  EXPECT_EQ(split_body("abc", "0").tensors, "abc");
}

TEST(BinaryTensors, RefuseALengthThatIsNone) {
  for (const char* length : {"6", "-1", "2.0", " 2", "2 ", "0x2", "two",
                             "99999999999999999999999999"}) {
    const auto text = complaint([&] { (void)split_body("{}abc", length); });
    EXPECT_TRUE(text.starts_with(kHeaderLength)) << length;
  }
}

TEST(Base64, IsReadWithAndWithoutPadding) {
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("AP+A"), "\0\xff\x80"s);
  EXPECT_EQ(from_base64("YQ=="), "a");
  EXPECT_EQ(from_base64("YQ"), "a");
  EXPECT_EQ(from_base64("YWI="), "ab");
  for (const char* text :
       {"A", "Y Q=", "YQ=", "YQ===", "=", "a-_b", "YQ==\n"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace penstock::serve
