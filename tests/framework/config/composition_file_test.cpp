// Files with `steps:`: what they mean, and every fault at its place.
#include "penstock/composition_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood = R"(version: 1
name: two
threads: 3
steps:
  first: {pipeline: one.yaml}
  second:
    pipeline: one.yaml
    in: {text: {each: first}, hint: note}
    set: {decode.temperature: 0.25, decode.stop_ids: [1, 2]}
inputs:
  - {text: "Hi", options: {second.top_k: 7}}
)";

class Compositions : public ::testing::Test {
 public:
  CompositionFile load(const std::string& text,
                       const std::vector<Override>& overrides = {}) {
    composed_.emplace(text, "two.yaml");
    return load_file(
        composed_->path(), catalog_, overrides,
        [this](const std::string& name, const std::filesystem::path&) {
          if (name == "one.yaml") return one_.path();
          if (name == "two.yaml") return composed_->path();
          throw Error(Code::kNotFound, "there is no " + name);
        });
  }
  std::string problem(const std::string& text,
                      const std::vector<Override>& overrides = {}) {
    try {
      (void)load(text, overrides);
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.problems().size(), 1) << error.what();
      return error.problems()[0];
    }
    return "accepted";
  }
  [[nodiscard]] std::string place(const std::string& at) const {
    return composed_->path().string() + ":" + at;
  }

 protected:
  FakeCatalog catalog_;
  TempFile one_{good_file(), "one.yaml"};
  std::optional<TempFile> composed_;
};

TEST_F(Compositions, SayWhichPipelineGetsWhat) {
  const CompositionFile file = load(kGood, {{"second.decode.top_k", "9", "x"}});
  EXPECT_FALSE(file.is_one());
  EXPECT_EQ(file.name, "two");
  ASSERT_EQ(file.steps.size(), 2);
  const StepConfig& second = file.steps[1];
  EXPECT_EQ(file.steps[0].source(), "");
  EXPECT_EQ(second.source(), "first");
  EXPECT_EQ(second.in.at("text").each, "first");
  EXPECT_EQ(second.in.at("hint").input, "note");
  const auto& decode = second.file.decode.settings;
  EXPECT_EQ(decode.at("temperature").value, ParamValue(0.25));
  EXPECT_EQ(decode.at("temperature").source, place("9:11"));
  EXPECT_EQ(decode.at("stop_ids").value,
            ParamValue(std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(decode.at("top_k").value, ParamValue(std::int64_t{9}));
  EXPECT_EQ(file.steps[0].file.threads.value, ParamValue(std::int64_t{3}));
  EXPECT_EQ(file.inputs.at(0).options.size(), 1);
}

TEST_F(Compositions, GiveEachStepItsOptions) {
  const CompositionFile file = load(kGood);
  const auto options = options_of_steps(
      file, {{"first.top_k", RawScalar{"1"}}, {"second.x", RawScalar{"2"}}});
  EXPECT_EQ(options[0].count("top_k"), 1);
  EXPECT_EQ(options[1].count("x"), 1);
  for (const char* name : {"top_k", "third.top_k", "first."}) {
    EXPECT_THROW((void)options_of_steps(file, {{name, RawScalar{"1"}}}), Error)
        << name;
  }
}

struct BadComposition {
  std::string name, from, to;
  std::string place;  ///< line:column
  std::string words;
};
void PrintTo(const BadComposition& c, std::ostream* os) { *os << c.name; }

class BadCompositions : public Compositions,
                        public ::testing::WithParamInterface<BadComposition> {};

TEST_P(BadCompositions, AreRefusedAtTheirPlace) {
  const BadComposition& c = GetParam();
  const std::string found = problem(replaced(kGood, c.from, c.to));
  EXPECT_THAT(found, HasSubstr(c.words));
  EXPECT_TRUE(found.starts_with(place(c.place) + ":") ||
              found.starts_with(place(c.place) + " "))
      << found;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadCompositions,
    ::testing::ValuesIn<BadComposition>({
        {"NoVersion", "version: 1\n", "", "1:1", "'version' is missing"},
        {"OtherVersion", "version: 1", "version: 2", "1:10", "not '2'"},
        {"Key", "threads", "thread", "3:1", "did you mean 'threads'"},
        {"Threads", "threads: 3", "threads: many", "3:10", "'many'"},
        {"NoSteps",
         "steps:\n  first: {pipeline: one.yaml}\n  second:\n    pipeline: "
         "one.yaml\n    in: {text: {each: first}, hint: note}\n    set: "
         "{decode.temperature: 0.25, decode.stop_ids: [1, 2]}\n",
         "steps: {}\n", "4:8", "expected a map of 1 to 16 steps"},
        {"StepIsText", "{pipeline: one.yaml}", "one.yaml", "5:10",
         "expected {pipeline: FILE}"},
        {"StepName", "second:", "sec.ond:", "6:3", "has no dot"},
        {"StepKey", "    set:", "    sets:", "9:5", "did you mean 'set'"},
        {"NoFile", "first: {pipeline: one.yaml}", "first: {pipeline: on.yaml}",
         "5:21", "there is no on.yaml"},
        {"ItselfAgain", "first: {pipeline: one.yaml}",
         "first: {pipeline: two.yaml}", "5:21", "composes pipelines itself"},
        {"LaterStep", "each: first", "each: third", "8:23",
         "there is no step 'third' above; known: first"},
        {"EdgeKind", "{each: first}", "{all: first}", "8:16",
         "{each: STEP} for the outputs"},
        {"TwoEdges", "hint: note", "hint: {each: first}", "8:38",
         "not several"},
        {"EdgesAreText", "{text: {each: first}, hint: note}", "first", "8:9",
         "expected a map such as {text: {each: speech}}"},
        {"SetIsText", "{decode.temperature: 0.25, decode.stop_ids: [1, 2]}",
         "decode", "9:10", "expected a map such as {decode.top_k: 40}"},
        {"SetParam", "decode.temperature", "decode.temprature", "9:11",
         "did you mean 'temperature'"},
        {"SetValue", "0.25", "-1", "9:11", "expected"},
        {"OptionOfNoStep", "second.top_k", "top_k", "11:28",
         "names no step; write STEP.top_k"},
        {"OptionUnknown", "second.top_k", "second.topk", "11:28",
         "did you mean 'top_k'"},
    }),
    [](const auto& test) { return test.param.name; });

TEST_F(Compositions, RefuseOverridesOfNoStep) {
  EXPECT_THAT(problem(kGood, {{"decode.top_k", "4", "--set"}}),
              HasSubstr("--set decode.top_k: names no step"));
  EXPECT_THAT(problem(kGood, {{"second.decode.topk", "4", "--set"}}),
              HasSubstr("did you mean 'top_k'"));
  (void)load(kGood, {{"device", "cpu", "--device"}});
}

TEST_F(Compositions, OfOneStepAreWhatAPipelineAloneIs) {
  const CompositionFile file =
      load_file(one_.path(), catalog_, {{"decode.top_k", "9", "--set"}});
  ASSERT_TRUE(file.is_one());
  EXPECT_EQ(file.path, one_.path());
  EXPECT_EQ(file.inputs.size(), file.steps[0].file.inputs.size());
  const std::map<std::string, Raw> options{{"top_k", RawScalar{"7"}}};
  EXPECT_EQ(options_of_steps(file, options).at(0).size(), 1);
  EXPECT_EQ(explain(file.steps[0].file),
            explain(load_pipeline_file(one_.path(), catalog_,
                                       {{"decode.top_k", "9", "--set"}})));
}

TEST_F(Compositions, TakeOverridesAfterTheyWereLoaded) {
  CompositionFile file = load_file(one_.path(), catalog_);
  PipelineFile& one = file.steps[0].file;
  const auto before = one.decode.params;
  override_params(one, {{"decode.top_k", "9", "--late"}});
  EXPECT_EQ(explain(one),
            explain(load_pipeline_file(one_.path(), catalog_,
                                       {{"decode.top_k", "9", "--late"}})));
  EXPECT_NE(one.decode.params, before) << "others may hold the old ones";
  try {
    override_params(one, {{"decode.topk", "9", "--late"}});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'top_k'"));
  }
  EXPECT_EQ(one.stages().size(), 5) << "a refused override changes nothing";
}

TEST_F(Compositions, CannotRunAsOnePipeline) {
  composed_.emplace(kGood, "two.yaml");
  try {
    (void)load_pipeline_file(composed_->path(), catalog_);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("composes pipelines"));
  }
}

}  // namespace
}  // namespace penstock::testing
