// pipeline-check-plugin finds what a stage leaves behind, and none of it in a
// plugin that is well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Ran check(const std::string& arguments) {
  return shell(PENSTOCK_BIN "/pipeline-check-plugin " + arguments);
}

TEST(CheckPlugin, FindsNothingInAGoodOne) {
  const Ran ran =
      check(PENSTOCK_BIN "/../lib/penstock/plugins/libpenstock_echo.so");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("library\n  ok     was built for this"));
  for (const char* stage : {"echo.bytes", "echo.forward", "echo.text"}) {
    EXPECT_THAT(ran.out,
                ContainsRegex(std::string(stage) +
                              "\n  ok     making it 100 times leaves nothing"
                              " behind\n  ok     does what a stage of its"));
  }
  EXPECT_THAT(ran.out, Not(HasSubstr("fault")));
}

TEST(CheckPlugin, FindsWhatStagesLeaveBehindAndGoesOnBehindACrash) {
  const Ran ran = check("--json " PENSTOCK_FIXTURE_PLUGINS
                        "/careless/libpenstock_careless.so");
  EXPECT_EQ(ran.code, 65) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  std::map<std::string, std::string> faults;
  for (const auto& found : json["findings"]) {
    if (found["level"] != "fault") continue;
    faults[found["about"]] += found["text"].get<std::string>();
  }
  EXPECT_EQ(faults.size(), 4U) << ran.out;
  EXPECT_THAT(faults["careless.prints"],
              HasSubstr("writes to stdout, where results stand: ready"));
  EXPECT_THAT(faults["careless.leaks"], HasSubstr("MiB behind"));
  EXPECT_THAT(faults["careless.threads"],
              HasSubstr("leaves threads behind: 80"));
  EXPECT_THAT(ran.out, HasSubstr("exports symbols of its own (1, the first "
                                 "_ZN8penstock6helperEv)"));
  EXPECT_THAT(faults["careless.crashes"],
              HasSubstr("ended the process: Segmentation fault"));
}

TEST(CheckPlugin, SaysWhyALibraryCannotBeOpened) {
  const Ran ran =
      check(PENSTOCK_FIXTURE_PLUGINS "/broken/libpenstock_no_note.so");
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.out,
              HasSubstr("fault  cannot be opened: it has no penstock"));
}

TEST(CheckPlugin, ReadsDamagedFilesWithinTheirBounds) {
  const std::string copy =
      "T=$(mktemp -d) && head -c 3000 " PENSTOCK_BIN
      "/../lib/penstock/plugins/libpenstock_echo.so > $T/libpenstock_x.so && ";
  const Ran cut = shell(copy + PENSTOCK_BIN
                        "/pipeline-check-plugin $T/libpenstock_x.so; "
                        "code=$?; rm -r $T; exit $code");
  EXPECT_EQ(cut.code, 65) << cut.err;
  EXPECT_THAT(cut.out, HasSubstr("cannot be read: it ends too early"));
  const Ran text = check(PENSTOCK_SOURCE_DIR "/README.md");
  EXPECT_EQ(text.code, 65);
  EXPECT_THAT(text.out, HasSubstr("it is no 64-bit shared library"));
  EXPECT_EQ(check("/nowhere/libpenstock_x.so").code, 66);
}

}  // namespace
}  // namespace penstock::cli
