#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "penstock/abi.h"
#include "penstock/plugin_host.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

fs::path broken(const std::string& name) {
  return fs::path(PENSTOCK_FIXTURE_PLUGINS) / "broken" /
         ("libpenstock_" + name + ".so");
}

TEST(InspectPlugin, FindsNothingWrongWithAGoodPlugin) {
  const TempFolder folder;

  const PluginFacts facts = inspect_plugin(folder.add("good/toy", "toy"));

  EXPECT_EQ(facts.problem, "");
  EXPECT_EQ(facts.name, "toy");
  EXPECT_EQ(facts.abi, std::string("plugin=toy;") + kAbiText);
}

TEST(InspectPlugin, NamesBothSidesOfAForeignOne) {
  EXPECT_THAT(
      inspect_plugin(broken("foreign")).problem,
      AllOf(HasSubstr("built for another SDK: sdk=0.0.1 (here 0.1.0)"),
            HasSubstr("build it against this SDK: penstock 0.1.0, headers")));
}

TEST(InspectPlugin, SeesAMissingNote) {
  EXPECT_THAT(inspect_plugin(broken("no_note")).problem,
              HasSubstr("it has no penstock note"));
}

TEST(InspectPlugin, SeesAMissingEntry) {
  EXPECT_THAT(inspect_plugin(broken("no_entry")).problem,
              HasSubstr("does not export 'penstock_plugin'"));
}

TEST(InspectPlugin, WantsTheFileNamedForThePlugin) {
  const TempFolder folder;

  EXPECT_THAT(inspect_plugin(folder.add("good/toy", "ball")).problem,
              HasSubstr("rename it to libpenstock_toy.so"));
  EXPECT_THAT(inspect_plugin(folder.add("good/toy", "Toy")).problem,
              HasSubstr("1 to 64 of the characters a-z, 0-9 and _"));
}

TEST(InspectPlugin, ThrowsForAFileThatIsNotThere) {
  try {
    static_cast<void>(inspect_plugin("/nowhere/libpenstock_x.so"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.text(), HasSubstr("/nowhere/libpenstock_x.so"));
  }
}

TEST(InspectPlugin, RefusesAFolderInPlaceOfAFile) {
  const TempFolder folder;
  fs::create_directory(folder.path() / "libpenstock_x.so");

  EXPECT_EQ(inspect_plugin(folder.path() / "libpenstock_x.so").problem,
            "it is a folder, not a file");
}

TEST(InspectPlugin, RefusesAHugeFileUnread) {
  const TempFolder folder;
  const fs::path path = folder.path() / "libpenstock_x.so";
  std::ofstream(path) << "x";
  fs::resize_file(path, std::uintmax_t{1} << 32U);

  EXPECT_THAT(inspect_plugin(path).problem, HasSubstr("at most 268435456"));
}

TEST(InspectPlugin, RefusesAFileThatOthersCanWrite) {
  const TempFolder folder;
  const fs::path path = folder.add("good/toy", "toy");
  fs::permissions(path, fs::perms(0757));

  EXPECT_THAT(inspect_plugin(path).problem,
              HasSubstr("can be written by everyone (mode 0757); if you trust "
                        "what is there: chmod o-w " +
                        path.string()));
}

TEST(InspectPlugin, RefusesAFolderThatOthersCanWrite) {
  const TempFolder folder;
  const fs::path path = folder.add("good/toy", "toy");
  fs::permissions(folder.path(), fs::perms(01777));

  EXPECT_THAT(inspect_plugin(path).problem,
              HasSubstr("chmod o-w " + folder.path().string()));
}

TEST(InspectPlugin, LooksAtTheFolderOfALinkToo) {
  const TempFolder library;
  const TempFolder link;
  const fs::path path = link.path() / "libpenstock_toy.so";
  fs::create_symlink(library.add("good/toy", "toy"), path);
  EXPECT_EQ(inspect_plugin(path).problem, "");
  fs::permissions(link.path(), fs::perms(0777));

  EXPECT_THAT(inspect_plugin(path).problem,
              HasSubstr("chmod o-w " + link.path().string()));
}

TEST(InspectPlugin, RefusesAFileOfAnotherUserOrGroup) {
  if (geteuid() != 0) return;  // only root can give files away; see rights_test
  const TempFolder folder;
  const fs::path path = folder.add("good/toy", "toy");
  ASSERT_EQ(chown(path.c_str(), 54321, 0), 0);
  EXPECT_THAT(inspect_plugin(path).problem,
              HasSubstr("belongs to the user number 54321"));
  ASSERT_EQ(chown(path.c_str(), 0, 54321), 0);
  fs::permissions(path, fs::perms(0775));

  EXPECT_THAT(inspect_plugin(path).problem,
              HasSubstr("written by the group number 54321"));
}

TEST(CompareAbi, SetsFactsSideBySide) {
  const auto facts = compare_abi("plugin=x;sdk=9;compiler=tcc 1.0;cuda=13");

  EXPECT_EQ(facts.front().key, "sdk");
  EXPECT_EQ(facts.front().library, "9");
  EXPECT_TRUE(facts.front().differs());
  EXPECT_EQ(facts.back().key, "cuda");
  EXPECT_EQ(facts.back().host, "");
  EXPECT_TRUE(facts.back().differs());
}

TEST(CompareAbi, ShowsCompilerAndBuildWithoutComparing) {
  for (const AbiFact& fact : compare_abi("compiler=tcc 1.0;build=odd")) {
    const bool is_shown = fact.key == "compiler" || fact.key == "build";
    EXPECT_EQ(fact.is_compared, !is_shown) << fact.key;
    EXPECT_EQ(fact.differs(), !is_shown) << fact.key;
  }
}

TEST(AbiText, StatesEveryFact) {
  for (const char* key : {"sdk", "headers", "stdlib", "cxx11_abi", "containers",
                          "libtorch", "sanitizer", "compiler", "build"}) {
    EXPECT_NE(abi_value(kAbiText, key), "") << key;
  }
  EXPECT_EQ(abi_value(kAbiText, "cxx11_abi"), "1");
}

}  // namespace
}  // namespace penstock
