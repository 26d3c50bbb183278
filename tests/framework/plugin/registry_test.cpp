#include <gmock/gmock.h>

#include <array>
#include <string>

#include "penstock/plugin.h"

namespace penstock {
namespace {

using testing::HasSubstr;

struct Plain : Postprocess {
  struct Params {
    std::int64_t count = 1;
  };
  explicit Plain(const Params& params) : count(params.count) {}
  static void declare(Declaration<Plain>& d) {
    d.doc("Does nothing.");
    d.param("count", &Params::count, "how often").range(1, 9);
  }
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& /*request*/) const override {
    return nullptr;
  }
  std::int64_t count;
};

template <int kCase>
struct BadParams : Plain {
  using Params = Plain::Params;
  using Plain::Plain;
  static void declare(Declaration<BadParams>& d) {
    constexpr std::array kNames{"a-b", "device", "twice"};
    d.param(kNames.at(kCase), &Params::count, "");
    d.param("twice", &Params::count, "");
  }
};

template <class T>
std::string problem_of(Registry& registry, const std::string& name) {
  try {
    registry.add<T>(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    return error.text();
  }
  return {};
}

TEST(Registry, KeepsStagesInOrderUnderThePluginsName) {
  Registry registry("toy");
  registry.add<Plain>("second");
  registry.add<Plain>("first");

  ASSERT_EQ(registry.specs().size(), 2U);
  EXPECT_EQ(registry.specs()[0].name, "toy.second");
  EXPECT_EQ(registry.specs()[1].name, "toy.first");
  EXPECT_EQ(registry.specs()[0].kind, StageKind::kPostprocess);
}

TEST(Registry, MakesAStageFromItsParams) {
  Registry registry("toy");
  registry.add<Plain>("plain");
  const Plain::Params params{.count = 7};

  const auto stage = registry.specs()[0].make(&params);

  EXPECT_EQ(dynamic_cast<const Plain&>(*stage).count, 7);
}

TEST(Registry, RefusesATakenName) {
  Registry registry("toy");
  registry.add<Plain>("plain");

  EXPECT_EQ(problem_of<Plain>(registry, "plain"),
            "two stages are named 'toy.plain'");
  EXPECT_EQ(registry.specs().size(), 1U);
}

TEST(Registry, RefusesMalformedNames) {
  Registry registry("toy");

  for (const std::string name : {"", "Plain", "a.b", "a-b", "a b", "\n"}) {
    EXPECT_THAT(problem_of<Plain>(registry, name),
                HasSubstr("cannot name a stage"))
        << name;
  }
  EXPECT_NE(problem_of<Plain>(registry, std::string(65, 'a')), "");
  EXPECT_EQ(problem_of<Plain>(registry, std::string(64, 'a')), "");
}

TEST(Registry, RefusesParamsThatNoPipelineFileCouldSet) {
  Registry registry("toy");

  EXPECT_THAT(problem_of<BadParams<0>>(registry, "x"),
              HasSubstr("has a param named 'a-b'"));
  EXPECT_THAT(problem_of<BadParams<1>>(registry, "x"),
              HasSubstr("'device', which every stage has already"));
  EXPECT_THAT(problem_of<BadParams<2>>(registry, "x"),
              HasSubstr("has two params named 'twice'"));
}

}  // namespace
}  // namespace penstock
