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

struct MultipartCase {
  std::string name, text, want;
};
void PrintTo(const MultipartCase& c, std::ostream* os) { *os << c.name; }

class FileNames : public testing::TestWithParam<MultipartCase> {};
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
    testing::Values(MultipartCase{"Plain", "talk.wav", "talk.wav"},
                    MultipartCase{"Path", R"("../../etc/passwd")", "passwd"},
                    MultipartCase{"WindowsPath", R"("C:\fakepath\a b.wav")",
                                  "a b.wav"},
                    MultipartCase{"EscapedQuote", R"("a\"b.wav")", "a\"b.wav"},
                    MultipartCase{"BrowserQuote", R"("a%22b.wav")", "a\"b.wav"},
                    MultipartCase{"NewLines", R"("a%0D%0Ab.wav")", "a__b.wav"},
                    MultipartCase{"Empty", R"("")", "upload"},
                    MultipartCase{"Folder", R"("a/")", "upload"},
                    MultipartCase{"Utf8", "\"\xC3\xA4.wav\"", "\xC3\xA4.wav"},
                    MultipartCase{"Long", "\"" + std::string(300, 'a') + "\"",
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

class Boundaries : public testing::TestWithParam<MultipartCase> {};
TEST_P(Boundaries, AreRefused) {
  EXPECT_THAT(problem(field("a", "1") + "--b--",
                      "multipart/form-data" + GetParam().text),
              HasSubstr(GetParam().want));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Boundaries,
    testing::Values(
        MultipartCase{"None", "", "has no boundary"},
        MultipartCase{"Empty", "; boundary=\"\"", "one to 70"},
        MultipartCase{"Long", "; boundary=" + std::string(71, 'b'),
                      "one to 70"},
        MultipartCase{"Blank", "; boundary=\"b \"", "one to 70"},
        MultipartCase{"Strange", "; boundary=\"b\x01\"", "one to 70"},
        MultipartCase{"Twice", "; boundary=b; boundary=c", "two boundaries"},
        MultipartCase{"Open", "; boundary=\"b", "has no end"},
        MultipartCase{"Unquoted", "; boundary=b c", "needs quotes"}),
    [](const auto& test) { return test.param.name; });

class Malformed : public testing::TestWithParam<MultipartCase> {};
TEST_P(Malformed, IsRefused) {
  EXPECT_THAT(problem(GetParam().text), HasSubstr(GetParam().want));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Malformed,
    testing::Values(
        MultipartCase{"Empty", "", "does not begin"},
        MultipartCase{"Preamble", "x\r\n" + field("a", "1") + "--b--",
                      "does not begin"},
        MultipartCase{"NoParts", "--b--", "has no parts"},
        MultipartCase{"Open", field("a", "1"), "ends within a part"},
        MultipartCase{"OpenHead", "--b\r\nContent-Disposition: form-data",
                      "no end"},
        MultipartCase{"OtherBoundary", field("a", "1") + "--bc--",
                      "line goes on"},
        MultipartCase{"BareLf",
                      "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
                      "line goes on"},
        MultipartCase{"Behind", field("a", "1") + "--b--\r\nmore",
                      "behind its last"},
        MultipartCase{"NoDisposition", part("X: y", "1") + "--b--",
                      "no Content-Disposition"},
        MultipartCase{"TwoDispositions",
                      part("Content-Disposition: form-data; name=a\r\n"
                           "Content-Disposition: form-data; name=b",
                           "1") +
                          "--b--",
                      "two Content-Dispositions"},
        MultipartCase{
            "Attachment",
            part("Content-Disposition: attachment; name=a", "1") + "--b--",
            "not form-data"},
        MultipartCase{"NoName",
                      part("Content-Disposition: form-data", "1") + "--b--",
                      "no name"},
        MultipartCase{"EmptyName", field("", "1") + "--b--", "no name"},
        MultipartCase{
            "TwoNames",
            part("Content-Disposition: form-data; name=a; name=b", "1") +
                "--b--",
            "two names"},
        MultipartCase{"NotUtf8", field("\xFF", "1") + "--b--",
                      "no text in UTF-8"},
        MultipartCase{"Nul", field(std::string("a\0b", 3), "1") + "--b--",
                      "no text in UTF-8"},
        MultipartCase{"LongName", field(std::string(300, 'a'), "1") + "--b--",
                      "name is too long"},
        MultipartCase{"Base64",
                      part("Content-Disposition: form-data; name=a\r\n"
                           "Content-Transfer-Encoding: base64",
                           "MQ==") +
                          "--b--",
                      "bytes as they are"},
        MultipartCase{"NoColon",
                      part("Content-Disposition form-data", "1") + "--b--",
                      "header is malformed"},
        MultipartCase{
            "Folded",
            part("Content-Disposition: form-data;\r\n name=a", "1") + "--b--",
            "no name"},
        MultipartCase{
            "OpenQuote",
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
