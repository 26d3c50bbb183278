// text.wordpiece against Hugging Face's tokenizers, and what is said of files
// that are no vocabulary.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "text/wordpiece/encoder.h"

namespace penstock::text {
namespace {

using ::testing::HasSubstr;
using GoldenJson = nlohmann::json;

const std::string kTests = PENSTOCK_SOURCE_DIR "/tests/";

GoldenJson golden(const std::string& name) {
  std::ifstream file(kTests + "golden/wordpiece/" + name);
  return GoldenJson::parse(file);
}

std::string fixture(const std::string& name) {
  return kTests + "fixtures/wordpiece/" + name;
}

class Vocabularies : public ::testing::TestWithParam<std::string> {};

TEST_P(Vocabularies, GiveTheIdsOfTokenizers) {
  const WordPieceEncoder encoder(read_wordpiece(fixture(GetParam())));
  const WordPieceVocabulary& vocabulary = encoder.vocabulary();
  for (const auto& each : golden("cases.json")) {
    Tokens ids = encoder.encode(each["text"].get<std::string>());
    ids.insert(ids.begin(), vocabulary.before.begin(), vocabulary.before.end());
    ids.insert(ids.end(), vocabulary.after.begin(), vocabulary.after.end());
    EXPECT_EQ(ids, each["ids"][GetParam()].get<Tokens>()) << each["text"];
  }
}

INSTANTIATE_TEST_SUITE_P(WordPiece, Vocabularies,
                         ::testing::Values("uncased.json", "cased.json",
                                           "accents.json", "plain.json",
                                           "added.json", "bare.json",
                                           "vocab.txt"),
                         [](const auto& test) {
                           std::string name = test.param;
                           name.replace(name.find('.'), 1, "_");
                           return name;
                         });

/// UTF-8 of a code point.
std::string spelled(std::uint32_t code) {
  const auto byte = [](std::uint32_t value) {
    return static_cast<char>(value);
  };
  const auto tail = [&](std::uint32_t shift) {
    return byte(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0U | code >> 6U), tail(0)};
  if (code < 0x10000) return {byte(0xE0U | code >> 12U), tail(6), tail(0)};
  return {byte(0xF0U | code >> 18U), tail(12), tail(6), tail(0)};
}

/// FNV-1a, as make_wordpiece.py has it.
void hash(std::uint64_t& value, std::string_view text) {
  for (const char byte : text) {
    value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  }
}

std::string hash_of_block(std::uint32_t block, const NormalRules& rules,
                          const std::vector<std::uint32_t>& left_out) {
  std::uint64_t value = 0xCBF29CE484222325U;
  bool is_first = true;
  for (std::uint32_t code = block; code < block + 4096; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    if (std::count(left_out.begin(), left_out.end(), code) > 0) continue;
    if (!is_first) hash(value, "\n");
    is_first = false;
    const std::string seen = normalized("a" + spelled(code) + "b", rules);
    std::string_view bar;
    for (const std::string_view word : words_of(seen)) {
      hash(value, bar);
      hash(value, word);
      bar = "|";
    }
  }
  std::ostringstream out;
  out << std::hex << std::setfill('0') << std::setw(16) << value;
  return out.str();
}

TEST(WordPiece, EveryCharacterIsWhatTokenizersTakesItFor) {
  const GoldenJson wanted = golden("characters.json");
  const auto left_out = wanted["left_out"].get<std::vector<std::uint32_t>>();
  const NormalRules cased{.strip_accents = false, .lower = false};
  ASSERT_GT(wanted["uncased"].size(), 50U);
  for (const auto& [name, hash] : wanted["uncased"].items()) {
    const auto block = static_cast<std::uint32_t>(std::stoul(name));
    EXPECT_EQ(hash_of_block(block, {}, left_out), hash) << "from " << block;
    EXPECT_EQ(hash_of_block(block, cased, left_out), wanted["cased"][name])
        << "from " << block;
  }
}

std::vector<testing::GivenItem> items_of(const std::string& params,
                                         const std::string& text) {
  return testing::run_stage("{use: text.wordpiece, vocab: '" +
                                fixture("uncased.json") + "'" + params + "}",
                            {.inputs = {{"text", text}}})
      .items;
}

Tokens numbers(const testing::GivenItem& item, const std::string& name) {
  const auto tensor = get(item.inputs, name);
  const auto* first = tensor.const_data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

std::string error_of_text(const std::string& params, const std::string& text) {
  try {
    (void)items_of(params, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const Tokens kHello = {2, 642, 376, 593, 11, 692, 376, 353, 5, 3};

TEST(WordPiece, GivesTokensAndTensors) {
  const auto items = items_of(", pieces: true", "Hello, World!");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].tokens, kHello);
  EXPECT_EQ(numbers(items[0], "input_ids"), kHello);
  EXPECT_EQ(numbers(items[0], "attention_mask"), Tokens(kHello.size(), 1));
  EXPECT_EQ(numbers(items[0], "token_type_ids"), Tokens(kHello.size(), 0));
  EXPECT_EQ(get(items[0].notes, kPieces).substr(0, 6),
            std::string("[CLS]\0", 6));
}

TEST(WordPiece, RoundsTheTensorsUp) {
  const auto items = items_of(", multiple: 8", "Hello, World!");
  EXPECT_EQ(items[0].tokens, kHello);
  Tokens ids = kHello;
  ids.resize(16, 0);
  EXPECT_EQ(numbers(items[0], "input_ids"), ids);
  EXPECT_EQ(numbers(items[0], "attention_mask"),
            (Tokens{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(
      items_of(", multiple: 5", "Hello, World!")[0].inputs[0].second.numel(),
      10);
}

TEST(WordPiece, CutsLongTextsAndSaysHowMuch) {
  const auto right = items_of(", max_tokens: 5", "Hello, World!");
  EXPECT_EQ(right[0].tokens, (Tokens{2, 642, 376, 593, 3}));
  EXPECT_EQ(get(right[0].notes, kTruncated), 5);
  const auto left =
      items_of(", max_tokens: 5, truncate: left", "Hello, World!");
  EXPECT_EQ(left[0].tokens, (Tokens{2, 376, 353, 5, 3}));
  EXPECT_THAT(error_of_text(", max_tokens: 5, truncate: none", "Hello, World!"),
              HasSubstr("the text has 10 tokens, the most is 5"));
  EXPECT_EQ(
      find(items_of(", max_tokens: 10", "Hello, World!")[0].notes, kTruncated),
      nullptr);
  EXPECT_THAT(error_of_text(", max_tokens: 2", ""),
              HasSubstr("2 tokens stand around each text"));
  const auto most = items_of("", std::string(2000, '.'));
  EXPECT_EQ(most[0].tokens.size(), 512U);
}

TEST(WordPiece, RefusesTextsThatCannotBe) {
  EXPECT_THAT(error_of_text(", max_bytes: 3", "four"),
              HasSubstr("the text has 4 bytes; the most is 3 (max_bytes)"));
  EXPECT_THAT(error_of_text("", "a\xFF"), HasSubstr("not UTF-8"));
}

TEST(WordPiece, LettersAreAParam) {
  const auto kept = items_of(", letters: keep", "NA\u00cfVE");
  EXPECT_EQ(kept[0].tokens, (Tokens{2, 1, 3}));
  EXPECT_EQ(items_of(", letters: lower", "NA\u00cfVE")[0].tokens,
            items_of("", "naive")[0].tokens);
}

TEST(WordPiece, IsAGoodStage) {
  EXPECT_EQ(testing::stage_faults(
                "{use: text.wordpiece, vocab: '" + fixture("vocab.txt") + "'}",
                {.inputs = {{"text", "Hello, \u4e2d\u6587!"}}}),
            "");
}

/// A folder with one file, gone with the test.
struct Written {
  Written(const std::string& name, const std::string& bytes)
      : folder(::testing::TempDir() + "/penstock_wordpiece") {
    std::filesystem::create_directories(folder);
    path = folder + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~Written() { std::filesystem::remove_all(folder); }
  std::string folder, path;
};

std::string error_of_file(const std::string& name, const std::string& bytes) {
  const Written file(name, bytes);
  try {
    (void)read_wordpiece(file.path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    return error.what();
  }
  return "";
}

struct BadFile {
  std::string name, file, bytes, says;
};
void PrintTo(const BadFile& c, std::ostream* out) { *out << c.name; }
class BadVocabularies : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadVocabularies, AreRefused) {
  EXPECT_THAT(error_of_file(GetParam().file, GetParam().bytes),
              HasSubstr(GetParam().says));
}

/// A tokenizer.json that is right but for what replaces a piece of it.
std::string json_but(const std::string& from, const std::string& to) {
  std::string good =
      R"({"added_tokens": [{"id": 1, "content": "[CLS]", "special": true}],)"
      R"("normalizer": {"type": "BertNormalizer"},)"
      R"("pre_tokenizer": {"type": "BertPreTokenizer"},)"
      R"("post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2],)"
      R"("cls": ["[CLS]", 1]},)"
      R"("truncation": {"max_length": 5}, "padding": null,)"
      R"("model": {"type": "WordPiece", "unk_token": "[UNK]",)"
      R"("vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}}})";
  const std::size_t at = good.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return good.replace(at, from.size(), to);
}

const std::string kFour = "[UNK]\n[CLS]\n[SEP]\n";

INSTANTIATE_TEST_SUITE_P(
    WordPiece, BadVocabularies,
    ::testing::ValuesIn<BadFile>({
        {"NoJson", "t.json", "{", "t.json"},
        {"NoModel", "t.json", "{}", "model"},
        {"AnotherModel", "t.json", json_but("WordPiece", "BPE"),
         "model.type is 'BPE', expected 'WordPiece'"},
        {"AnotherPreTokenizer", "t.json", json_but("BertPreT", "ByteLevelT"),
         "expected 'BertPreTokenizer'"},
        {"AnotherNormalizer", "t.json", json_but("BertNorm", "Norm"),
         "expected 'BertNormalizer'"},
        {"NoUnknown", "t.json", json_but("{\"[UNK]\": 0, ", "{"),
         "no token '[UNK]', which unknown words become"},
        {"NoTokens", "t.json",
         json_but(R"({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3})", "{}"),
         "it has no tokens"},
        {"TwoOfOneId", "t.json", json_but("\"a\": 3", "\"a\": 2"),
         "the token 'a' has id 2, which is '[SEP]' already"},
        {"HugeId", "t.json", json_but("\"a\": 3", "\"a\": 9000000000"),
         "has id 9000000000, expected 0 to 1048575"},
        {"NegativeId", "t.json", json_but("\"a\": 3", "\"a\": -3"),
         "has id -3"},
        {"IdIsNoInteger", "t.json", json_but("\"a\": 3", "\"a\": \"3\""),
         "has a token 'a' whose id is no integer"},
        {"AroundIsNoToken", "t.json", json_but("\"[SEP]\", 2", "\"x\", 4"),
         "post_processor.sep[1]"},
        {"AddedIsAnother", "t.json", json_but("\"id\": 1,", "\"id\": 3,"),
         "the added token '[CLS]' has id 3, which is 'a' already"},
        {"SingleWord", "t.json",
         json_but("\"special\": true", "\"single_word\": true"),
         "single_word: true, which is not supported"},
        {"NoLength", "t.json",
         json_but("\"max_length\": 5", "\"max_length\": 0"),
         "truncation.max_length"},
        {"Empty", "vocab.txt", "", "it has no tokens"},
        {"NoUnknownLine", "vocab.txt", "[CLS]\n[SEP]\n", "no token '[UNK]'"},
        {"NoEndLine", "vocab.txt", "[UNK]\n[CLS]\n", "no token '[SEP]'"},
        {"Twice", "vocab.txt", kFour + "a\nb\na \n",
         "the token 'a' stands there twice"},
        {"Binary", "vocab.txt", kFour + "\xFF\xFE\n", "line 4 is not UTF-8"},
        {"LongLine", "vocab.txt", kFour + std::string(5000, 'x'),
         "line 4 has 5000 bytes"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(WordPiece, TheFileIsLookedForBesideTheModel) {
  const Written file("tokenizer.json", json_but("\"a\"", "\"a\""));
  std::ofstream(file.folder + "/x.onnx") << "a model";
  const testing::Given given{.inputs = {{"text", "a A b"}},
                             .model = file.folder + "/x.onnx"};
  const auto made = testing::run_stage("{use: text.wordpiece}", given);
  EXPECT_EQ(made.items[0].tokens, (Tokens{1, 3, 3, 0, 2}));
  const auto named =
      testing::run_stage("{use: text.wordpiece, vocab: tokenizer.json}", given);
  EXPECT_EQ(named.items[0].tokens, made.items[0].tokens);
  std::filesystem::remove(file.path);
  EXPECT_THROW((void)testing::run_stage("{use: text.wordpiece}", given), Error);
}

TEST(WordPiece, TheFileSaysHowLongATextMayBe) {
  const Written file("tokenizer.json", json_but("\"a\"", "\"a\""));
  const auto made =
      testing::run_stage("{use: text.wordpiece, vocab: '" + file.path + "'}",
                         {.inputs = {{"text", "a a a a"}}});
  EXPECT_EQ(made.items[0].tokens, (Tokens{1, 3, 3, 3, 2}));
}

TEST(WordPiece, LinesKeepTheirLettersWhereTheirConfigSaysSo) {
  const Written file("vocab.txt", kFour + "a\nA\n");
  const WordPieceEncoder lower(read_wordpiece(file.path));
  EXPECT_EQ(lower.encode("aA"), (Tokens{0}));
  std::ofstream(file.folder + "/tokenizer_config.json")
      << R"({"do_lower_case": false})";
  const WordPieceEncoder kept(read_wordpiece(file.path));
  EXPECT_EQ(kept.encode("a A"), (Tokens{3, 4}));
}

}  // namespace
}  // namespace penstock::text
