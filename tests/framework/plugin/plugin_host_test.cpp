#include "penstock/plugin_host.h"

#include <elf.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "penstock/stage.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path kGood = fs::path(PENSTOCK_FIXTURE_PLUGINS) / "good";
const fs::path kBroken = fs::path(PENSTOCK_FIXTURE_PLUGINS) / "broken";

/// What find() throws, with its code.
std::string error_of(PluginHost& host, const std::string& use, Code code) {
  try {
    static_cast<void>(host.find(use));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.text();
  }
  ADD_FAILURE() << use << " was found";
  return {};
}

TEST(PluginHost, FindsAStageAndMakesIt) {
  PluginHost host({kGood});

  const StageSpec& spec = host.find("toy.pick");

  EXPECT_EQ(spec.kind, StageKind::kDecode);
  ASSERT_NE(spec.params.find("temperature"), nullptr);
  EXPECT_NE(spec.make(spec.params.make().get()), nullptr);
}

TEST(PluginHost, ListsTheStagesInTheirOrder) {
  PluginHost host({kGood});
  std::vector<std::string> names;

  for (const StageSpec& spec : host.stages("toy")) names.push_back(spec.name);

  EXPECT_THAT(names, ElementsAre("toy.split", "toy.rows", "toy.model",
                                 "toy.pick", "toy.join"));
}

TEST(PluginHost, GivesTheSameSpecToEveryThread) {
  PluginHost host({kGood});
  std::vector<const StageSpec*> found(4);
  std::vector<std::jthread> threads;
  threads.reserve(found.size());

  for (const StageSpec*& spec : found) {
    threads.emplace_back([&host, &spec] { spec = &host.find("toy.join"); });
  }
  threads.clear();

  EXPECT_THAT(found, testing::Each(&host.find("toy.join")));
}

TEST(PluginHost, LeavesCodeInPlaceWhenItIsGone) {
  std::unique_ptr<Stage> stage;
  {
    PluginHost host({kGood});
    const StageSpec& spec = host.find("toy.rows");
    stage = spec.make(spec.params.make().get());
  }
  stage.reset();  // its destructor is in the plugin
}

TEST(PluginHost, NamesWhatThereIsForAnUnknownPlugin) {
  PluginHost host({kGood, "/nowhere"});

  EXPECT_THAT(error_of(host, "tpy.pick", Code::kData),
              AllOf(HasSubstr("no plugin 'tpy', did you mean 'toy'?"),
                    HasSubstr("known plugins: toy"), HasSubstr(kGood.string()),
                    HasSubstr("/nowhere (No such file or directory)")));
}

TEST(PluginHost, NamesWhatThereIsForAnUnknownStage) {
  PluginHost host({kGood});

  EXPECT_THAT(error_of(host, "toy.pik", Code::kData),
              AllOf(HasSubstr("no stage 'toy.pik', did you mean 'toy.pick'?"),
                    HasSubstr("toy.split, toy.rows, toy.model")));
}

TEST(PluginHost, TakesNoPathForAName) {
  PluginHost host({kGood});

  EXPECT_THAT(error_of(host, "../good/libpenstock_toy.so", Code::kData),
              HasSubstr("no plugin ''"));
  EXPECT_THAT(error_of(host, "toy", Code::kData),
              HasSubstr("write plugin.stage"));
}

TEST(PluginHost, RefusesTwoPluginsOfOneName) {
  const TempFolder other;
  const fs::path copy = other.add("good/toy", "toy");
  PluginHost host({kGood, other.path()});

  EXPECT_THAT(error_of(host, "toy.pick", Code::kInternal),
              AllOf(HasSubstr((kGood / "libpenstock_toy.so").string()),
                    HasSubstr("two of this name"), HasSubstr(copy.string())));
}

TEST(PluginHost, CountsALibraryReachedTwiceOnce) {
  const TempFolder links;
  fs::create_directory_symlink(kGood, links.path() / "folder");
  fs::create_symlink(kGood / "libpenstock_toy.so",
                     links.path() / "libpenstock_toy.so");
  PluginHost host({kGood, kGood, links.path() / "folder", links.path()});

  EXPECT_EQ(host.plugins().size(), 1U);
  EXPECT_EQ(host.find("toy.pick").name, "toy.pick");
}

TEST(PluginHost, DoesNotRunAConstructorOfAForeignLibrary) {
  const TempFolder folder;
  const fs::path mark = folder.path() / "mark";
  setenv("PENSTOCK_TEST_MARK", mark.c_str(), /*overwrite=*/1);
  PluginHost host({kBroken});

  const std::string error = error_of(host, "foreign.x", Code::kInternal);

  EXPECT_THAT(error, HasSubstr("sdk=0.0.1 (here 0.1.0)"));
  EXPECT_FALSE(fs::exists(mark));
  // The same constructor behind a fitting note does write it.
  error_of(host, "constructor.x", Code::kInternal);
  EXPECT_TRUE(fs::exists(mark));
  unsetenv("PENSTOCK_TEST_MARK");
}

TEST(PluginHost, AsksForTheEntryOfALibraryWithoutSectionHeaders) {
  const TempFolder folder;
  const fs::path path = folder.add("broken/no_entry", "no_entry");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(Elf64_Ehdr, e_shoff));
  file.write("\0\0\0\0\0\0\0\0", 8);
  file.close();
  PluginHost host({folder.path()});

  EXPECT_THAT(error_of(host, "no_entry.x", Code::kInternal),
              HasSubstr("does not export 'penstock_plugin'"));
}

TEST(PluginHost, UndoesFlushToZeroAndNamesWhoSetIt) {
  const TempFolder folder;
  const std::string path = folder.add("odd/fast_math", "fast_math").string();
  PluginHost host({folder.path()});

  static_cast<void>(host.find("fast_math.only"));

  volatile double tiny = std::numeric_limits<double>::min();
  tiny = tiny / 4;
  EXPECT_GT(tiny, 0) << "subnormal numbers are taken as zero";
  EXPECT_THAT(host.warnings(),
              ElementsAre(AllOf(
                  StartsWith("plugin 'fast_math' (" + path + ") changed how"),
                  HasSubstr("without -ffast-math"))));
}

TEST(PluginHost, HasNothingToSayOfAGoodPlugin) {
  PluginHost host({kGood});
  static_cast<void>(host.find("toy.pick"));
  EXPECT_THAT(host.warnings(), testing::IsEmpty());
}

TEST(PluginHost, FramesWhatAStaticConstructorThrows) {
  setenv("PENSTOCK_TEST_CONSTRUCTOR", "throw", /*overwrite=*/1);
  const TempFolder folder;
  folder.add("broken/constructor", "constructor");
  PluginHost host({folder.path()});

  const std::string error = error_of(host, "constructor.x", Code::kInternal);

  unsetenv("PENSTOCK_TEST_CONSTRUCTOR");
  EXPECT_THAT(
      error,
      AllOf(StartsWith("plugin 'constructor' ("),
            HasSubstr("a static constructor of it threw: no such licence; "
                      "that is for the plugin's author to mend")));
}

TEST(PluginHost, NamesLddWhereALibraryIsMissing) {
  PluginHost host({kBroken});
  EXPECT_THAT(error_of(host, "lonely.x", Code::kInternal),
              AllOf(HasSubstr("libpenstock_fixture_gone.so: cannot open"),
                    HasSubstr("ldd " + kBroken.string())));
}

struct PluginHostCase {
  std::string plugin;
  std::string want;
};
void PrintTo(const PluginHostCase& c, std::ostream* os) { *os << c.plugin; }

class BrokenPluginTest : public testing::TestWithParam<PluginHostCase> {};

TEST_P(BrokenPluginTest, IsRefusedWithPathAndReason) {
  const PluginHostCase& c = GetParam();
  PluginHost host({kBroken});
  const std::string path =
      (kBroken / ("libpenstock_" + c.plugin + ".so")).string();

  const std::string error = error_of(host, c.plugin + ".x", Code::kInternal);

  EXPECT_THAT(error, StartsWith("plugin '" + c.plugin + "' (" + path +
                                ") cannot be used: "));
  EXPECT_THAT(error, HasSubstr(c.want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenPluginTest,
    testing::ValuesIn<PluginHostCase>({
        {"add_throws", "could not add its stages: no licence for 0"},
        {"constructor", "returns an incomplete entry"},
        {"copied_note", "built for another SDK: sdk=0.0.2 (here 0.1.0)"},
        {"duplicate_stage", "two stages are named 'duplicate_stage.twin'"},
        {"foreign", "build it against this SDK: penstock 0.1.0"},
        {"no_entry", "write PENSTOCK_PLUGIN(...) in one of its files"},
        {"no_note", "it has no penstock note"},
        {"other_name", "it calls itself 'something_else'"},
        {"unresolved", "undefined symbol: penstock_fixture_missing"},
    }),
    [](const auto& test) { return test.param.plugin; });

TEST(SearchPath, PutsNamedFoldersFirstThenTheEnvironmentThenTheProgram) {
  setenv("PENSTOCK_PLUGIN_PATH", "/b::/c/:/a", /*overwrite=*/1);

  const auto folders = PluginHost::search_path({"/a", "relative/.."});

  unsetenv("PENSTOCK_PLUGIN_PATH");
  const fs::path own = fs::read_symlink("/proc/self/exe").parent_path();
  // The last: beside libpenstock.so.
  EXPECT_THAT(folders, ElementsAre("/a", fs::current_path(), "/b", "/c",
                                   own.parent_path() / "lib/penstock/plugins",
                                   own.parent_path().parent_path() /
                                       "lib/penstock/plugins"));
}

}  // namespace
}  // namespace penstock
