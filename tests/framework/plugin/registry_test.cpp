#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "penstock/keys.h"
#include "penstock/plugin.h"

namespace penstock {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

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
    d.doc("Does nothing.");
    d.param(kNames.at(kCase), &Params::count, "how often");
    d.param("twice", &Params::count, "how often");
  }
};

struct Spoken : Plain {
  struct Params {
    std::string pictures;
  };
  explicit Spoken(const Params& /*params*/) : Plain(Plain::Params{}) {}
  static void declare(Declaration<Spoken>& d) {
    d.doc("Speaks.");
    d.makes(kText, kTime).needs(kAudioBegin, kVocabSize).uses(kText);
    d.param("pictures", &Params::pictures, "folder").draws();
  }
};

template <int kCase>
struct Misplaced : Plain {
  using Params = Plain::Params;
  using Plain::Plain;
  static void declare(Declaration<Misplaced>& d) {
    d.doc("Says what it should not.");
    auto count = d.param("count", &Params::count, "how many");
    if (kCase == 0) count.draws();
    if (kCase == 1) d.makes(kVocabSize);
    if (kCase == 2) d.next_input("seek: i64[1]");
  }
};

struct EarlyReader final : Preprocess {
  struct Params {};
  explicit EarlyReader(const Params& /*params*/) {}
  static void declare(Declaration<EarlyReader>& d) {
    d.doc("Reads early.").needs(kVocabSize);
  }
  void preprocess(const Request& /*request*/, Item /*in*/,
                  ItemSink& /*out*/) const override {}
};

struct EarlyBatch final : Batch {
  struct Params {};
  explicit EarlyBatch(const Params& /*params*/) {}
  static void declare(Declaration<EarlyBatch>& d) {
    d.doc("Asks early.").uses(kVocabSize);
  }
  [[nodiscard]] int max_sequences() const override { return 1; }
  Plan plan(const Offer& /*candidates*/) override { return {}; }
  Tensors collate(std::span<const Slice> /*slices*/) override { return {}; }
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

TEST(Registry, HoldsWhatAStageDeclares) {
  Registry registry("toy");
  registry.add<Spoken>("spoken");

  const StageSpec& spec = registry.specs().front();
  EXPECT_THAT(spec.notes.makes, ElementsAre(spec_of(kText), spec_of(kTime)));
  EXPECT_THAT(spec.notes.needs, ElementsAre(spec_of(kAudioBegin)));
  EXPECT_THAT(spec.notes.uses, ElementsAre(spec_of(kText)));
  EXPECT_THAT(spec.facts.needs, ElementsAre(spec_of(kVocabSize)));
  ASSERT_NE(spec.params.find(Ability::kDraws), nullptr);
  EXPECT_EQ(spec.params.find(Ability::kDraws)->name, "pictures");
  EXPECT_EQ(spec.params.find(Ability::kChats), nullptr);
}

TEST(Registry, RefusesWhatCouldNeverBeHandedOn) {
  Registry registry("toy");

  EXPECT_THAT(problem_of<Misplaced<0>>(registry, "x"),
              HasSubstr("param 'count' of stage 'toy.x' draws, so it must be "
                        "of the type text, not integer"));
  EXPECT_THAT(problem_of<Misplaced<1>>(registry, "x"),
              HasSubstr("declares fact 'vocab_size': facts are made by "
                        "forward stages"));
  EXPECT_THAT(problem_of<Misplaced<2>>(registry, "x"),
              HasSubstr("declares next_input(), which goes from decode to "
                        "forward"));
  EXPECT_THAT(problem_of<EarlyReader>(registry, "x"),
              HasSubstr("preprocess also runs without a model"));
  EXPECT_THAT(problem_of<EarlyBatch>(registry, "x"),
              HasSubstr("no fact is known yet when this stage is opened"));
}
struct Values {
  std::int64_t count = 20;
  double share = 0.5;
  bool is_on = false;
  std::string side = "left";
  std::vector<std::int64_t> ids = {3, 30};
};

struct Declared : Postprocess {
  using Params = Values;
  using Declare = void (*)(Declaration<Declared>& d);
  explicit Declared(const Params& /*params*/) {}
  static void declare(Declaration<Declared>& d) { now(d); }
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& /*request*/) const override {
    return nullptr;
  }
  static inline Declare now = nullptr;  ///< what the running case declares
};

struct RegistryCase {
  std::string name;
  std::string want;  ///< empty: it is taken
  Declared::Declare declare;
};
void PrintTo(const RegistryCase& c, std::ostream* os) { *os << c.name; }

class DeclaredTest : public testing::TestWithParam<RegistryCase> {};

TEST_P(DeclaredTest, IsTakenOrSaysWhatToMend) {
  Registry registry("toy");
  Declared::now = GetParam().declare;

  const std::string problem = problem_of<Declared>(registry, "stage");

  if (GetParam().want.empty()) {
    EXPECT_EQ(problem, "");
  } else {
    EXPECT_THAT(problem, AllOf(StartsWith("stage 'toy.stage' "),
                               HasSubstr(GetParam().want)));
  }
}

using D = Declaration<Declared>;

INSTANTIATE_TEST_SUITE_P(
    Table, DeclaredTest,
    testing::ValuesIn<RegistryCase>({
        {"Whole", "",
         [](D& d) {
           d.doc("x").input("a: f32[B,3]").output("b: tokens[T]");
           d.param("count", &Values::count, "x").range(1, 20);
           d.param("share", &Values::share, "x").range(0.5, 0.5);
           d.param("is_on", &Values::is_on, "x");
           d.param("side", &Values::side, "x").choices({"left", "right"});
           d.param("ids", &Values::ids, "x").range(3, 30);
         }},
        {"StageWithoutDoc", "has no doc", [](D& /*d*/) {}},
        {"ParamWithoutDoc", "has no doc for its param 'count'",
         [](D& d) { d.doc("x").param("count", &Values::count, ""); }},
        {"DefaultOutsideItsRange", "expected integer in 1..9, not '20'",
         [](D& d) {
           d.doc("x").param("count", &Values::count, "x").range(1, 9);
         }},
        {"ItemOutsideItsRange", "expected list of integers in 1..9, not",
         [](D& d) { d.doc("x").param("ids", &Values::ids, "x").range(1, 9); }},
        {"DefaultOutsideItsChoices", "expected one of up, down, not",
         [](D& d) {
           d.doc("x").param("side", &Values::side, "x").choices({"up", "down"});
         }},
        {"ReversedRange", "the range 20..10, which holds nothing",
         [](D& d) {
           d.doc("x").param("count", &Values::count, "x").range(20, 10);
         }},
        {"RangeOfNothing", "which holds nothing",
         [](D& d) {
           d.doc("x")
               .param("share", &Values::share, "x")
               .range(0, std::nan(""));
         }},
        {"RangeOfAText", "ranges are for numbers",
         [](D& d) {
           d.doc("x").param("side", &Values::side, "x").range(0, 1);
         }},
        {"RangeOfABool", "ranges are for numbers",
         [](D& d) {
           d.doc("x").param("is_on", &Values::is_on, "x").range(0, 1);
         }},
        {"ChoicesOfANumber", "choices are for texts",
         [](D& d) {
           d.doc("x").param("count", &Values::count, "x").choices({"20"});
         }},
        {"UnknownDtype", "unknown dtype 'int64'",
         [](D& d) { d.doc("x").input("a: int64[B]"); }},
        {"NearDtype", "did you mean 'f32'?",
         [](D& d) { d.doc("x").output("a: f23[B]"); }},
    }),
    [](const auto& test) { return test.param.name; });

struct Still : Forward {
  using Params = Plain::Params;
  explicit Still(const Params& /*params*/) {}
  static void declare(Declaration<Still>& d) { d.doc("Computes nothing."); }
  [[nodiscard]] Caps caps() const override { return {}; }
  [[nodiscard]] Result forward(const Step& /*step*/) override { return {}; }
};

struct Elsewhere : Still {
  using Still::Still;
  static void declare(Declaration<Elsewhere>& d) {
    d.doc("Computes elsewhere.").devices({"cpu", "tpu"});
  }
};

TEST(Registry, PutsAForwardThatNamesNoDeviceOnTheCpu) {
  Registry registry("toy");
  registry.add<Still>("still");
  registry.add<Plain>("plain");
  EXPECT_EQ(registry.specs()[0].devices, std::vector<std::string>{"cpu"});
  EXPECT_TRUE(registry.specs()[1].devices.empty());
  EXPECT_THAT(problem_of<Elsewhere>(registry, "elsewhere"),
              HasSubstr("computes on 'tpu'; a device is cpu or cuda"));
}

}  // namespace
}  // namespace penstock
