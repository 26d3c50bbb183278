// What a good file means, where each value came from, requests' options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "penstock/placement.h"
#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

PipelineFile load(const std::string& text,
                  const std::vector<Override>& over = {}) {
  static FakeCatalog catalog;
  const TempFile file(text);
  return load_pipeline_file(file.path(), catalog, over);
}

double temperature(const PipelineFile& file) {
  return std::get<double>(file.decode.settings.at("temperature").value);
}

TEST(GoodFile, IsReadWhole) {
  const auto file = load(good_file());
  EXPECT_EQ(file.name, "good");
  EXPECT_EQ(std::get<std::string>(file.model.value), "some/model.gguf");
  ASSERT_EQ(file.preprocess.size(), 1);
  EXPECT_EQ(file.preprocess[0].spec->name, "text.words");
  EXPECT_EQ(file.forward.model, "some/model.gguf");
  EXPECT_EQ(file.forward.device, "cpu");
  EXPECT_EQ(temperature(file), 0.5);
  EXPECT_THAT(file.decode.settings.at("temperature").source, HasSubstr(":8:"));
  EXPECT_EQ(file.decode.settings.at("top_k").source, "default");
  ASSERT_EQ(file.inputs.size(), 1);
  EXPECT_EQ(file.inputs[0].values.at("text"), "Hi");
  EXPECT_EQ(file.stages().size(), 5);
}

TEST(GoodFile, NamesAModelThatLiesBesideIt) {
  const std::string name = "config_test_beside.gguf";
  // Where load() puts its file.
  const std::string beside =
      (TempFile("").path().parent_path() / name).string();
  std::ofstream(beside) << "weights";
  std::string text = good_file();
  text.replace(text.find("some/model.gguf"), 15, name);
  const auto model = [&] {
    return std::get<std::string>(load(text).model.value);
  };
  EXPECT_EQ(model(), beside);
  std::ofstream(name) << "of the folder that the program runs in";
  EXPECT_EQ(model(), name);
  std::filesystem::remove(name);
  std::filesystem::remove(beside);
  EXPECT_EQ(model(), name);
}

TEST(GoodFile, MaySayAFormerNameAndIsTold) {
  std::string text = good_file();
  const std::string now = "max_sequences";
  text.replace(text.find(now), now.size(), "max_rows");
  const auto file = load(text, {{"batch.max_rows", "4", "--set"}});
  EXPECT_EQ(
      std::get<std::int64_t>(file.batch.settings.at("max_sequences").value), 4);
  ASSERT_EQ(file.notices.size(), 2);
  EXPECT_THAT(file.notices[0],
              HasSubstr(": 'max_rows' is called 'max_sequences' now"));
  EXPECT_EQ(file.notices[1],
            "--set batch.max_rows: 'max_rows' is called 'max_sequences' now");
}

TEST(GoodFile, MaySayOneOfTwoNamesOnly) {
  std::string text = good_file();
  const std::string batch = "rows.packed";
  text.insert(text.find(batch) + batch.size(), ", max_rows: 3");
  try {
    (void)load(text);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.text(), HasSubstr("'max_rows' is the former name of "
                                        "'max_sequences', which is there too"));
  }
}

TEST(GoodFile, MayListPreprocessAndNameModelsPerStage) {
  const auto file = load(R"(version: 1
model: a.gguf
preprocess:
  - {use: text.words, model: b.model}
  - {use: text.words}
batch: {use: rows.packed}
forward: {use: net.run, device: "cuda:1"}
decode: {use: pick.best, stop_ids: 7}
postprocess: {use: text.join}
)");
  EXPECT_EQ(file.preprocess.size(), 2);
  EXPECT_EQ(file.preprocess[0].model, "b.model");
  EXPECT_EQ(file.preprocess[1].model, "a.gguf");
  EXPECT_EQ(file.forward.device, "cuda:1");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(
                file.decode.settings.at("stop_ids").value),
            std::vector<std::int64_t>{7});
  EXPECT_TRUE(file.inputs.empty());
}

TEST(GoodFile, MayRunForwardOnSeveralDevices) {
  const auto file = load(replaced(good_file(), "{use: net.run}",
                                  "{use: net.run, device: [cuda:0, cpu]}"));
  EXPECT_EQ(file.forward.device, "[cuda:0, cpu]");
  EXPECT_EQ(listed_devices(file.forward.device),
            (std::vector<std::string>{"cuda:0", "cpu"}));
  EXPECT_EQ(load(explain(file)).forward.device, "[cuda:0, cpu]");
  const auto set =
      load(good_file(), {{"forward.device", "[cpu,cpu, cuda]", "--set"}});
  EXPECT_EQ(listed_devices(set.forward.device),
            (std::vector<std::string>{"cpu", "cpu", "cuda"}));
  EXPECT_EQ(listed_devices("cuda:1"), std::vector<std::string>{"cuda:1"});
  EXPECT_EQ(load(good_file(), {{"device", "[cpu, cuda:1]", "--device"}})
                .forward.device,
            "[cpu, cuda:1]");
  // A list of one is the device.
  EXPECT_EQ(
      load(good_file(), {{"forward.device", "[cuda]", "--set"}}).forward.device,
      "cuda");
}

TEST(GoodFile, MayDenyCopiesBetweenDevices) {
  const std::string denies =
      replaced(good_file(), "device: cpu", "copies: deny");
  // What auto would choose is not left to the machine.
  const auto file = load(denies);
  EXPECT_EQ(file.forward.device, "cpu");
  EXPECT_THAT(file.forward.device_source, HasSubstr(":4:9 (copies: deny)"));
  EXPECT_EQ(load(explain(file)).forward.device, "cpu");
  EXPECT_EQ(load(good_file(), {{"copies", "deny", "--set"}}).forward.device,
            "cpu");
  // The last word is in force.
  EXPECT_EQ(load(denies, {{"copies", "allow", "--set"}}).forward.device,
            "auto");
}

TEST(GoodFile, ExpandsVariablesInValues) {
  setenv("PENSTOCK_TEST_MODEL", "from/env.gguf", 1);
  std::string text = good_file();
  text.replace(text.find("some/model.gguf"), 15,
               "${PENSTOCK_TEST_MODEL}-${NO_SUCH_X:-b}-$$c");
  EXPECT_EQ(std::get<std::string>(load(text).model.value),
            "from/env.gguf-b-$c");
}

TEST(Overrides, WinInTheirOrder) {
  setenv("PENSTOCK_SET", "decode.temperature=0.6;batch.max_sequences=7", 1);
  setenv("PENSTOCK_DEVICE", "cuda", 1);
  setenv("PENSTOCK_THREADS", "3", 1);
  auto over = overrides_from_environment();
  unsetenv("PENSTOCK_SET");
  unsetenv("PENSTOCK_DEVICE");
  unsetenv("PENSTOCK_THREADS");
  const auto environment = load(good_file(), over);
  EXPECT_EQ(temperature(environment), 0.6);
  EXPECT_EQ(environment.decode.settings.at("temperature").source,
            "PENSTOCK_SET");
  EXPECT_EQ(environment.forward.device, "cuda");
  EXPECT_EQ(std::get<std::int64_t>(environment.threads.value), 3);
  for (auto& each : parse_overrides("decode.temperature=0.7", "--set")) {
    over.push_back(each);
  }
  const auto both = load(good_file(), over);
  EXPECT_EQ(temperature(both), 0.7);
  EXPECT_EQ(both.decode.settings.at("temperature").source, "--set");
  EXPECT_EQ(
      std::get<std::int64_t>(both.batch.settings.at("max_sequences").value), 7);
}

TEST(Explain, GivesAFileThatMeansTheSame) {
  const auto file = load(good_file(), {{"decode.stop_ids", "[1, 2]", "--set"},
                                       {"batch.side", "right", "--set"}});
  const std::string text = explain(file);
  EXPECT_THAT(text, HasSubstr("# --set"));
  EXPECT_THAT(text, HasSubstr("# default"));
  const auto again = load(text);
  ASSERT_EQ(again.stages().size(), file.stages().size());
  for (std::size_t i = 0; i < file.stages().size(); ++i) {
    const auto& before = file.stages()[i]->settings;
    const auto& after = again.stages()[i]->settings;
    ASSERT_EQ(before.size(), after.size());
    for (const auto& [name, setting] : before) {
      EXPECT_EQ(setting.value, after.at(name).value) << name;
    }
  }
  EXPECT_EQ(again.inputs[0].values, file.inputs[0].values);
}

struct Option {
  std::string name, key;
  Raw value;
  std::string words;  ///< empty: accepted
};
void PrintTo(const Option& c, std::ostream* os) { *os << c.name; }

class Options : public ::testing::TestWithParam<Option> {};

TEST_P(Options, AreCheckedLikeParams) {
  const auto file = load(good_file());
  const Option& c = GetParam();
  try {
    const auto checked = check_options(file, {{c.key, c.value}});
    EXPECT_EQ(checked.size(), 5);
    EXPECT_EQ(c.words, "");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    ASSERT_NE(c.words, "") << error.what();
    EXPECT_THAT(error.what(), HasSubstr(c.words));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Options,
    ::testing::ValuesIn<Option>({
        {"Good", "top_k", RawScalar{"5"}, ""},
        {"WithItsStage", "decode.top_k", RawScalar{"5"}, ""},
        {"AList", "stop_ids",
         std::vector<RawScalar>{RawScalar{"5"}, RawScalar{"6"}}, ""},
        {"Unknown", "topk", RawScalar{"5"}, "did you mean 'top_k'"},
        {"OutOfRange", "top_k", RawScalar{"5000"}, "0..1000"},
        {"WrongType", "top_k", RawScalar{"5", true}, "integer"},
        {"NotPerRequest", "loud", RawScalar{"true"}, "request"},
        {"WrongStage", "batch.top_k", RawScalar{"5"}, "top_k"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Damage, OfAnyKindIsAnErrorOrAFileNeverACrash) {
  FakeCatalog catalog;
  const std::string good = good_file();
  std::mt19937 random(1);
  int refused = 0;
  const auto check = [&](const std::string& text) {
    const TempFile file(text, "damaged.yaml");
    try {
      (void)load_pipeline_file(file.path(), catalog);
    } catch (const Error&) {
      ++refused;
    }
  };
  for (std::size_t i = 0; i < good.size(); ++i) check(good.substr(0, i));
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (auto n = 1 + random() % 4; n > 0; --n) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    check(text);
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace penstock::testing
