#include "plugin/rights.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <string>

namespace penstock::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Person kUser{.user = 1000, .group = 1000};

struct RightsCase {
  std::string name;
  mode_t mode = 0;
  uid_t owner = kUser.user;
  gid_t group = kUser.group;
  Place place = Place::kOwn;
  std::string want = {};  ///< part of the problem; empty: there is none
};
void PrintTo(const RightsCase& c, std::ostream* os) { *os << c.name; }

class RightsTest : public testing::TestWithParam<RightsCase> {};

TEST_P(RightsTest, RefusesWhatOthersCanChange) {
  const RightsCase& c = GetParam();
  const Rights rights{
      .path = "/opt/x", .mode = c.mode, .owner = c.owner, .group = c.group};

  const std::string problem = rights_problem(rights, c.place, kUser);

  EXPECT_EQ(problem.empty(), c.want.empty()) << problem;
  EXPECT_THAT(problem, HasSubstr(c.want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RightsTest,
    testing::ValuesIn<RightsCase>({
        {.name = "OwnFile", .mode = S_IFREG | 0755},
        {.name = "FileOfRoot", .mode = S_IFREG | 0755, .owner = 0, .group = 0},
        {.name = "OwnGroupMayWrite", .mode = S_IFDIR | 0775},
        {.name = "RootsGroupMayWrite", .mode = S_IFDIR | 0775, .group = 0},
        {.name = "OtherGroupMayWrite",
         .mode = S_IFDIR | 0775,
         .group = 54321,
         .want = "written by the group number 54321 (mode 0775), which is not "
                 "yours; if you trust what is there: chmod g-w /opt/x"},
        {.name = "EveryoneMayWrite",
         .mode = S_IFREG | 0666,
         .want = "/opt/x can be written by everyone (mode 0666); if you trust "
                 "what is there: chmod o-w /opt/x"},
        {.name = "StickyFolderItself",
         .mode = S_IFDIR | 01777,
         .owner = 0,
         .want = "everyone (mode 1777)"},
        {.name = "StickyFolderAbove",
         .mode = S_IFDIR | 01777,
         .owner = 0,
         .place = Place::kAbove},
        {.name = "OpenFolderAbove",
         .mode = S_IFDIR | 0777,
         .owner = 0,
         .place = Place::kAbove,
         .want = "everyone (mode 0777)"},
        {.name = "GroupFolderAbove",
         .mode = S_IFDIR | 0770,
         .group = 54321,
         .place = Place::kAbove,
         .want = "group number 54321"},
        {.name = "FileOfAnother",
         .mode = S_IFREG | 0644,
         .owner = 54321,
         .want = "belongs to the user number 54321 (mode 0644), neither to "
                 "you nor to root"},
        {.name = "FolderOfAnotherAbove",
         .mode = S_IFDIR | 0755,
         .owner = 54321,
         .place = Place::kAbove},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Rights, QuotesThePathForAShell) {
  const Rights rights{.path = "/a b/it's",
                      .mode = S_IFREG | 0666,
                      .owner = kUser.user,
                      .group = kUser.group};

  EXPECT_THAT(rights_problem(rights, Place::kOwn, kUser),
              HasSubstr(R"(chmod o-w '/a b/it'\''s')"));
}

TEST(Rights, NamesUserAndGroupWhereTheyHaveNames) {
  const Rights of_root{
      .path = "/x", .mode = S_IFREG | 0664, .owner = 0, .group = 1};

  EXPECT_THAT(rights_problem(of_root, Place::kOwn, kUser),
              AllOf(HasSubstr("the group '"), HasSubstr("chmod g-w /x")));
}

}  // namespace
}  // namespace penstock::plugin
