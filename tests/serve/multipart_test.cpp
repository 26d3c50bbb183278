// Forms, as clients write them and as nobody should.
#include "pipeline_serve/api/uploads/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

constexpr const char* kType = "multipart/form-data; boundary=b";

/// A part with these header lines.
std::string part(const std::string& head, const std::string& content) {
  return "--b\r\n" + head + "\r\n\r\n" + content + "\r\n";
}

std::string field(const std::string& name, const std::string& content) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", content);
}

/// Why it is refused; "": it is not.
std::string problem(const std::string& body, const std::string& type = kType,
                    const FormLimits& limits = {}) {
  try {
    (void)parse_form(type, body, limits);
    return "";
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status, 400) << error.message;
    return error.message;
  }
}

TEST(Multipart, GivesFieldsAndFilesInTheirOrder) {
  const std::string body =
      field("model", "whisper") +
      part(
          "Content-Disposition: form-data; name=\"file\"; "
          "filename=\"talk.wav\"\r\nContent-Type: audio/x-wav",
          std::string("RIFF\0\r\n--c\r\n", 11)) +
      field("model", "") + "--b--\r\n";
  const auto parts = parse_form(kType, body);
  ASSERT_EQ(parts.size(), 3);
  EXPECT_EQ(parts[0].name, "model");
  EXPECT_EQ(parts[0].content, "whisper");
  EXPECT_FALSE(parts[0].is_file);
  EXPECT_EQ(parts[1].name, "file");
  EXPECT_TRUE(parts[1].is_file);
  EXPECT_EQ(parts[1].filename, "talk.wav");
  EXPECT_EQ(parts[1].content, std::string_view("RIFF\0\r\n--c\r\n", 11));
  EXPECT_EQ(parts[2].content, "");
}

struct Case {
  std::string name, text, want;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class FileNames : public testing::TestWithParam<Case> {};
TEST_P(FileNames, AreLabelsWithoutFolders) {
  const auto parts = parse_form(
      kType, part("Content-Disposition: form-data; name=f; filename=" +
                      GetParam().text,
                  "x") +
                 "--b--");
  ASSERT_EQ(parts.size(), 1);
  EXPECT_TRUE(parts[0].is_file);
  EXPECT_EQ(parts[0].filename, GetParam().want);
}
INSTANTIATE_TEST_SUITE_P(
    Table, FileNames,
    testing::Values(Case{"Plain", "talk.wav", "talk.wav"},
                    Case{"Path", R"("../../etc/passwd")", "passwd"},
                    Case{"WindowsPath", R"("C:\fakepath\a b.wav")", "a b.wav"},
                    Case{"EscapedQuote", R"("a\"b.wav")", "a\"b.wav"},
                    Case{"BrowserQuote", R"("a%22b.wav")", "a\"b.wav"},
                    Case{"NewLines", R"("a%0D%0Ab.wav")", "a__b.wav"},
                    Case{"Empty", R"("")", "upload"},
                    Case{"Folder", R"("a/")", "upload"},
                    Case{"Utf8", "\"\xC3\xA4.wav\"", "\xC3\xA4.wav"},
                    Case{"Long", "\"" + std::string(300, 'a') + "\"",
                         std::string(256, 'a')}),
    [](const auto& test) { return test.param.name; });

TEST(Multipart, TakesWhatClientsWriteOtherwise) {
  const std::string body =
      "--b \t\r\ncontent-disposition:form-data;name=a;\r\n"
      "Content-Transfer-Encoding: binary\r\nX-Other: y\r\n\r\n1\r\n--b--";
  for (const std::string& type :
       {std::string("Multipart/Form-Data;boundary=\"b\""),
        std::string("multipart/form-data; charset=utf-8; boundary=b")}) {
    EXPECT_TRUE(is_form(type));
    EXPECT_EQ(problem(body, type), "") << type;
    EXPECT_EQ(problem("\r\n" + body + "\r\n", type), "") << type;
  }
}

TEST(Multipart, IsOfItsTypeAlone) {
  for (const char* type :
       {"", "application/json", "multipart/mixed; boundary=b",
        "multipart/form-datas; boundary=b"}) {
    EXPECT_FALSE(is_form(type)) << type;
    try {
      (void)parse_form(type, field("a", "1") + "--b--");
      ADD_FAILURE() << type;
    } catch (const HttpError& error) {
      EXPECT_EQ(error.status, 415);
    }
  }
}

class Boundaries : public testing::TestWithParam<Case> {};
TEST_P(Boundaries, AreRefused) {
  EXPECT_THAT(problem(field("a", "1") + "--b--",
                      "multipart/form-data" + GetParam().text),
              HasSubstr(GetParam().want));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Boundaries,
    testing::Values(Case{"None", "", "has no boundary"},
                    Case{"Empty", "; boundary=\"\"", "one to 70"},
                    Case{"Long", "; boundary=" + std::string(71, 'b'),
                         "one to 70"},
                    Case{"Blank", "; boundary=\"b \"", "one to 70"},
                    Case{"Strange", "; boundary=\"b\x01\"", "one to 70"},
                    Case{"Twice", "; boundary=b; boundary=c", "two boundaries"},
                    Case{"Open", "; boundary=\"b", "has no end"},
                    Case{"Unquoted", "; boundary=b c", "needs quotes"}),
    [](const auto& test) { return test.param.name; });

class Malformed : public testing::TestWithParam<Case> {};
TEST_P(Malformed, IsRefused) {
  EXPECT_THAT(problem(GetParam().text), HasSubstr(GetParam().want));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Malformed,
    testing::Values(
        Case{"Empty", "", "does not begin"},
        Case{"Preamble", "x\r\n" + field("a", "1") + "--b--", "does not begin"},
        Case{"NoParts", "--b--", "has no parts"},
        Case{"Open", field("a", "1"), "ends within a part"},
        Case{"OpenHead", "--b\r\nContent-Disposition: form-data", "no end"},
        Case{"OtherBoundary", field("a", "1") + "--bc--", "line goes on"},
        Case{"BareLf",
             "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
             "line goes on"},
        Case{"Behind", field("a", "1") + "--b--\r\nmore", "behind its last"},
        Case{"NoDisposition", part("X: y", "1") + "--b--",
             "no Content-Disposition"},
        Case{"TwoDispositions",
             part("Content-Disposition: form-data; name=a\r\n"
                  "Content-Disposition: form-data; name=b",
                  "1") +
                 "--b--",
             "two Content-Dispositions"},
        Case{"Attachment",
             part("Content-Disposition: attachment; name=a", "1") + "--b--",
             "not form-data"},
        Case{"NoName", part("Content-Disposition: form-data", "1") + "--b--",
             "no name"},
        Case{"EmptyName", field("", "1") + "--b--", "no name"},
        Case{"TwoNames",
             part("Content-Disposition: form-data; name=a; name=b", "1") +
                 "--b--",
             "two names"},
        Case{"NotUtf8", field("\xFF", "1") + "--b--", "no text in UTF-8"},
        Case{"Nul", field(std::string("a\0b", 3), "1") + "--b--",
             "no text in UTF-8"},
        Case{"LongName", field(std::string(300, 'a'), "1") + "--b--",
             "name is too long"},
        Case{"Base64",
             part("Content-Disposition: form-data; name=a\r\n"
                  "Content-Transfer-Encoding: base64",
                  "MQ==") +
                 "--b--",
             "bytes as they are"},
        Case{"NoColon", part("Content-Disposition form-data", "1") + "--b--",
             "header is malformed"},
        Case{"Folded",
             part("Content-Disposition: form-data;\r\n name=a", "1") + "--b--",
             "no name"},
        Case{"OpenQuote",
             part("Content-Disposition: form-data; name=\"a", "1") + "--b--",
             "has no end"}),
    [](const auto& test) { return test.param.name; });

TEST(Multipart, HasLimits) {
  const FormLimits limits{.parts = 2, .head_bytes = 64, .field_bytes = 4};
  EXPECT_EQ(
      problem(field("a", "1234") + field("b", "") + "--b--", kType, limits),
      "");
  EXPECT_THAT(problem(field("a", "12345") + "--b--", kType, limits),
              HasSubstr("more than 4 bytes"));
  EXPECT_THAT(
      problem(field("a", "1") + field("b", "2") + field("c", "3") + "--b--",
              kType, limits),
      HasSubstr("more than 2 parts"));
  EXPECT_THAT(
      problem(field(std::string(60, 'a'), "1") + "--b--", kType, limits),
      HasSubstr("too long"));
  const std::string file =
      part("Content-Disposition: form-data; name=f; filename=x", "12345");
  EXPECT_EQ(problem(file + "--b--", kType, limits), "");
}

}  // namespace
}  // namespace penstock::serve
