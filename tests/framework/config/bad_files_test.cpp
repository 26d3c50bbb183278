// Every fault of a pipeline file has its place and a text that helps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <array>

#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

/// The good file with one line changed, and what must be said of it.
struct BadFile {
  std::string name;
  std::string from, to;  ///< replaced once
  std::string place;     ///< line:column
  std::string words;
};
void PrintTo(const BadFile& c, std::ostream* os) { *os << c.name; }

std::vector<std::string> problems_of(const std::filesystem::path& path,
                                     const std::vector<Override>& over = {}) {
  FakeCatalog catalog;
  try {
    (void)load_pipeline_file(path, catalog, over);
  } catch (const ConfigError& error) {
    return error.problems();
  }
  return {};
}

class BadFiles : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFiles, AreRefusedAtTheirPlace) {
  const BadFile& c = GetParam();
  const TempFile file(replaced(good_file(), c.from, c.to));
  const auto problems = problems_of(file.path());
  ASSERT_FALSE(problems.empty()) << "accepted";
  EXPECT_THAT(problems[0], HasSubstr(c.words));
  EXPECT_EQ(problems[0].rfind(file.path().string() + ":" + c.place + ": ", 0),
            0)
      << problems[0];
  EXPECT_EQ(problems.size(), 1) << problems[1];
}

std::string deep(int levels) {
  return "name: " + std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

/// `names` anchors, each twice the one before: 2^names nodes.
std::string bomb() {
  std::string text = "a0: &a0 [x]\nx:";
  for (int i = 1; i < 20; ++i) {
    text += str("\n  - &a", i, " [*a", i - 1, ", *a", i - 1, "]");
  }
  return text + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadFiles,
    ::testing::ValuesIn<BadFile>({
        {"UnknownKey", "device: cpu", "devise: cpu", "4:1",
         "unknown key 'devise', did you mean 'device'?"},
        {"NoVersion", "version: 1\n", "", "1:1", "version"},
        {"VersionTwo", "version: 1", "version: 2", "1:10",
         "expected version 1"},
        {"VersionQuoted", "version: 1", "version: '1'", "1:10",
         "expected version 1"},
        {"VersionAList", "version: 1", "version: [1]", "1:10", "expected"},
        {"NoPreprocess", "preprocess:  {use: text.words}\n", "", "1:1",
         "preprocess"},
        {"NoBatch", "batch:       {use: rows.packed, max_sequences: 4}\n", "",
         "1:1", "batch"},
        {"NoForward", "forward:     {use: net.run}\n", "", "1:1", "forward"},
        {"NoDecode", "decode:      {use: pick.best, temperature: 0.5}\n", "",
         "1:1", "decode"},
        {"NoPostprocess", "postprocess: {use: text.join}\n", "", "1:1",
         "postprocess"},
        {"KeyTwice", "device: cpu", "device: cpu\ndevice: cpu", "5:1",
         "line 4"},
        {"ParamTwice", "max_sequences: 4", "max_sequences: 4, max_sequences: 5",
         "6:51", "max_sequences"},
        {"KeyIsAList", "name: good", "[name]: good", "2:1", "key"},
        {"UnknownParam", "temperature: 0.5", "temperatur: 0.5", "8:31",
         "did you mean 'temperature'?"},
        {"WrongType", "temperature: 0.5", "temperature: hot", "8:44", "number"},
        {"QuotedNumber", "max_sequences: 4", "max_sequences: \"4\"", "6:48",
         "integer"},
        {"NotAnInteger", "max_sequences: 4", "max_sequences: 4.5", "6:48",
         "integer"},
        {"OutOfRange", "max_sequences: 4", "max_sequences: 65", "6:48",
         "1..64"},
        {"BelowRange", "max_sequences: 4", "max_sequences: 0", "6:48", "1..64"},
        {"Overflow", "max_sequences: 4", "max_sequences: 99999999999999999999",
         "6:48", "integer"},
        {"NotFinite", "temperature: 0.5", "temperature: .inf", "8:44",
         "number"},
        {"NotABool", "temperature: 0.5", "loud: yes", "8:37", "true or false"},
        {"BadChoice", "max_sequences: 4", "side: lift", "6:39",
         "did you mean 'left'?"},
        {"ListOfWrongItems", "temperature: 0.5", "stop_ids: [1, x]", "8:41",
         "integer"},
        {"MapAsParam", "temperature: 0.5", "temperature: {a: 1}", "8:44",
         "map"},
        {"EmptyParam", "temperature: 0.5", "temperature: ", "8:31", "number"},
        {"StageUnderTheWrongKey", "{use: text.join}", "{use: pick.best}",
         "9:20", "it stands under postprocess"},
        {"UnknownStage", "net.run", "net.runn", "7:20",
         "there is no stage 'net.runn'"},
        {"NoUse", "{use: net.run}", "{dtype: auto}", "7:1", "use"},
        {"UseWithoutDot", "{use: net.run}", "{use: net}", "7:20", "."},
        {"StageIsText", "{use: net.run}", "net.run", "7:14", "use"},
        {"EmptyList", "{use: text.words}", "[]", "5:14", "1 to 16"},
        {"BadName", "name: good", "name: a b", "2:7", "1 to 64 letters"},
        {"LongName", "name: good", "name: " + std::string(65, 'x'), "2:7",
         "64"},
        {"PortsDoNotFit", "text.words", "text.bytes", "7:20", "i64"},
        {"LayoutDoesNotFit", "rows.packed", "rows.padded", "6:20",
         "rows.padded makes padded batches; net.run takes packed"},
        {"UnknownDevice", "device: cpu", "device: cpuu", "4:9",
         "did you mean 'cpu'?"},
        {"DeviceNumber", "device: cpu", "device: 'cuda:x'", "4:9", "cuda"},
        {"DeviceOfAStage", "{use: net.run}", "{use: net.run, device: gpu}",
         "7:37", "cuda"},
        {"DeviceOfWhatTakesNone", "{use: pick.best,",
         "{use: pick.best, device: cpu,", "8:39",
         "pick.best computes on no device of its own; write device under "
         "forward"},
        {"DeviceOfPreprocess", "{use: text.words}",
         "{use: text.words, device: auto}", "5:40", "text.words computes on"},
        {"DeviceThatForwardLacks", "{use: net.run}",
         "{use: net.cpu, device: cuda}", "7:37",
         "net.cpu runs on cpu alone, not on 'cuda'"},
        {"DeviceOfTheFileThatForwardLacks",
         "device: cpu\npreprocess:  {use: text.words}\n"
         "batch:       {use: rows.packed, max_sequences: 4}\n"
         "forward:     {use: net.run}",
         "device: cuda:1\npreprocess:  {use: text.words}\n"
         "batch:       {use: rows.packed, max_sequences: 4}\n"
         "forward:     {use: net.cpu}",
         "4:9", "net.cpu runs on cpu alone, not on 'cuda:1'"},
        {"DevicesOfTheFile", "device: cpu", "device: [cpu, cpu]", "4:9",
         "a list of devices stands under forward"},
        {"NoDevices", "{use: net.run}", "{use: net.run, device: []}", "7:37",
         "expected 1 to 16 devices, not 0"},
        {"DevicesWithAuto", "{use: net.run}",
         "{use: net.run, device: [auto, cuda:1]}", "7:37",
         "a list names each device"},
        {"DevicesWithAWrongOne", "{use: net.run}",
         "{use: net.run, device: [cpu, gpu]}", "7:37", "did you mean 'cuda'?"},
        {"DevicesThatForwardLacks", "{use: net.run}",
         "{use: net.cpu, device: [cpu, cuda:3]}", "7:37",
         "net.cpu runs on cpu alone, not on 'cuda:3'"},
        {"CopiesIsWrong", "device: cpu", "copies: denied", "4:9",
         "expected allow or deny, not 'denied'"},
        {"CopiesAreDenied", "device: cpu", "device: cuda:1\ncopies: deny",
         "4:9",
         "net.run on cuda:1 is copied the inputs of each step from rows.packed "
         "on the CPU, and copies is deny ("},
        {"CopiesOfOneOfTwoAreDenied",
         "device: cpu\npreprocess:  "
         "{use: text.words}\nbatch:       {use: rows.packed, max_sequences: 4}"
         "\nforward:     {use: net.run}",
         "copies: deny\npreprocess:  {use: text.words}\nbatch:       "
         "{use: rows.packed, max_sequences: 4}\nforward:     "
         "{use: net.run, device: [cpu, cuda]}",
         "7:37", ":4:9)"},
        {"Steps", "name: good", "name: good\nsteps: {}", "3:1",
         "composes pipelines"},
        {"UndefinedVariable", "some/model.gguf", "${NO_SUCH_VARIABLE_X}", "3:8",
         "NO_SUCH_VARIABLE_X"},
        {"OpenVariable", "some/model.gguf", "${HOME", "3:8", "${"},
        {"ParamsConflict", "{use: net.run}", "{use: net.run, low: 9, high: 3}",
         "7:20", "low is above high"},
        {"InputsIsAMap", "  - {text: \"Hi\"}", "  text: Hi", "11:3", "list"},
        {"InputIsText", "{text: \"Hi\"}", "Hi", "11:5", "map"},
        {"InputIsAList", "\"Hi\"", "[Hi]", "11:12", "text"},
        {"InputOptionUnknown", "\"Hi\"}", "\"Hi\", options: {topk: 3}}",
         "11:28", "did you mean 'top_k'"},
        {"InputOptionOutOfRange", "\"Hi\"}", "\"Hi\", options: {top_k: -1}}",
         "11:35", "0..1000"},
        {"InputOptionNotPerRequest", "\"Hi\"}",
         "\"Hi\", options: {loud: true}}", "11:28", "request"},
        {"ThreadsNegative", "device: cpu", "threads: -1", "4:10", "0..1024"},
        {"TooDeep", "name: good", deep(70), "2:70", "64"},
        {"NotYaml", "name: good", "name: [good", "3:6", ""},
        {"SecondDocument", "inputs:", "---\ninputs:", "10:1",
         "second document"},
        {"AliasCycle", "name: good", "name: &a [*a]", "2:11", "cycle"},
        {"UnknownAlias", "name: good", "name: *nobody", "2:7",
         "anchor is not defined"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(BadFile, EachPortThatDoesNotFitIsNamed) {
  const TempFile file(replaced(good_file(), "net.run", "net.image"));
  const auto problems = problems_of(file.path());
  ASSERT_EQ(problems.size(), 2);
  EXPECT_THAT(problems[0], HasSubstr("7:20: net.image does not fit"));
  EXPECT_THAT(problems[0], HasSubstr("'pixels': missing; given: tokens"));
  EXPECT_THAT(problems[1], HasSubstr("8:20: pick.best does not fit"));
}

TEST(BadFile, AWriterMayReadWhatPreprocessGaveOfItsItem) {
  const std::string showing = replaced(good_file(), "text.join", "text.show");
  const TempFile without(showing);
  const auto problems = problems_of(without.path());
  ASSERT_EQ(problems.size(), 1);
  EXPECT_THAT(problems[0], HasSubstr("text.show does not fit what pick.best "
                                     "gives: port 'sound': missing"));
  const TempFile with(replaced(showing, "{use: text.words}",
                               "[{use: text.words}, {use: text.sound}]"));
  EXPECT_TRUE(problems_of(with.path()).empty());
}

TEST(BadFile, APromptsTokensAreNoAnswers) {
  const TempFile file(
      replaced(good_file(), "pick.best, temperature: 0.5", "pick.nothing"));
  const auto problems = problems_of(file.path());
  ASSERT_EQ(problems.size(), 1);
  EXPECT_THAT(problems[0], HasSubstr("text.join does not fit what "
                                     "pick.nothing gives: port 'tokens'"));
}

TEST(BadFile, AnAliasBombIsNotExpanded) {
  const TempFile file(
      replaced(good_file(), "inputs:\n  - {text: \"Hi\"}\n", bomb()));
  const auto problems = problems_of(file.path());
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems[0], HasSubstr("10000"));
}

TEST(BadFile, AllFaultsAreToldInOnePassAndInOrder) {
  const TempFile file(
      "version: 3\nnme: x\ndevice: gpu\npreprocess: {use: text.wrds}\n"
      "batch: {use: rows.packed, max_sequences: 99}\n"
      "forward: {use: pick.best}\n"
      "decode: {use: pick.best, temperature: hot, loud: 1}\n");
  const auto problems = problems_of(file.path());
  ASSERT_EQ(problems.size(), 9);
  const std::array<const char*, 9> wanted{
      "1:1: ",  "1:10: ", "2:1: ",  "3:9: ", "4:19: ",
      "5:42: ", "6:16: ", "7:39: ", "7:50: "};
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_THAT(problems[i], HasSubstr(":" + std::string(wanted[i])));
  }
}

struct Whole {
  std::string name, text, words;
};
void PrintTo(const Whole& c, std::ostream* os) { *os << c.name; }

class WholeFiles : public ::testing::TestWithParam<Whole> {};

TEST_P(WholeFiles, AreRefused) {
  const TempFile file(GetParam().text);
  const auto problems = problems_of(file.path());
  ASSERT_FALSE(problems.empty()) << "accepted";
  EXPECT_THAT(problems[0], HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WholeFiles,
    ::testing::ValuesIn<Whole>({
        {"Empty", "", "an empty value"},
        {"OverOneMebibyte",
         good_file() + "# " + std::string((1 << 20) + 1, 'x'), "1 MiB"},
        {"InvalidUtf8", "version: 1\nname: \xFF\n", "UTF-8"},
        {"NulByte", std::string("version: 1\nname: a\0b\n", 21), "NUL"},
        {"AList", "- 1\n- 2\n", "map"},
        {"AScalar", "hello\n", "map"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(NoFile, HasItsOwnCode) {
  FakeCatalog catalog;
  try {
    (void)load_pipeline_file("/nowhere/p.yaml", catalog);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/p.yaml"));
  }
  EXPECT_THROW((void)load_pipeline_file("/tmp", catalog), Error);
}

TEST(Overrides, AreCheckedLikeTheFile) {
  const TempFile file(good_file());
  struct Case {
    std::string key, value, words;
  };
  for (const Case& c : std::vector<Case>{
           {"decode.temperatur", "1", "did you mean 'temperature'?"},
           {"decode.temperature", "hot", "number"},
           {"decode.top_k", "1001", "0..1000"},
           {"decode.use", "pick.best", "use"},
           {"decoder.top_k", "1", "did you mean 'decode'"},
           {"device", "cudda", "cuda"},
           {"copies", "no", "expected allow or deny"},
           {"forward.device", "[cpu, cudda]", "did you mean 'cuda'?"},
           {"decode.device", "cpu", "computes on no device of its own"},
           {"threads", "many", "integer"},
           {"batch.side", "lefft", "did you mean 'left'?"},
           {"nonsense", "1", "nonsense"},
       }) {
    const auto problems = problems_of(file.path(), {{c.key, c.value, "--set"}});
    ASSERT_EQ(problems.size(), 1) << c.key;
    EXPECT_THAT(problems[0], HasSubstr(c.words));
    EXPECT_EQ(problems[0].rfind("--set " + c.key, 0), 0) << problems[0];
  }
}

}  // namespace
}  // namespace penstock::testing
