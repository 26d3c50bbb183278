// Ids and text against sentencepiece's own, on a tokenizer.model, on the
// vocabulary of a GGUF and on a tokenizer.json; vocabularies that do not hold
// together.
#include "gemma/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_model.pb.h>

#include <filesystem>
#include <fstream>

#include "gemma/text_stream.h"
#include "penstock/text.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using ::testing::HasSubstr;

class TinyTokenizer : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Tokenizer> tokenizer_ =
      Tokenizer::open(tiny(GetParam()));
};

TEST_P(TinyTokenizer, GivesSentencepiecesIds) {
  int strings = 0;
  for (const auto& golden : golden_json("tiny/tokenizer.json")) {
    EXPECT_EQ(tokenizer_->encode(golden["text"].get<std::string>()),
              golden["ids"].get<Tokens>())
        << golden["text"];
    ++strings;
  }
  EXPECT_GT(strings, 50);
}

TEST_P(TinyTokenizer, StreamsTheTextBack) {
  for (const auto& golden : golden_json("tiny/tokenizer.json")) {
    TextStream stream(tokenizer_);
    std::string text;
    for (const std::int64_t id : golden["ids"].get<Tokens>()) {
      const std::string piece = stream.add(id);
      EXPECT_FALSE(invalid_utf8(piece)) << golden["text"];
      text += piece;
    }
    text += stream.finish();
    if (golden["text"].get<std::string>().find("\u2581") == std::string::npos) {
      EXPECT_EQ(text, golden["text"].get<std::string>());
    }
  }
}

TEST_P(TinyTokenizer, HoldsBackBytesThatAreNoCharacterYet) {
  const auto byte = [](int value) { return std::int64_t{21 + value}; };
  TextStream stream(tokenizer_);
  EXPECT_EQ(stream.add(byte(0xE2)), "");
  EXPECT_EQ(stream.add(byte(0x82)), "");
  EXPECT_EQ(stream.add(byte(0xAC)), "\u20AC");
  EXPECT_EQ(stream.add(byte(0xE2)), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.add(byte(0xFF)), "\uFFFD");
  EXPECT_EQ(stream.add(tokenizer_->bos()), "");  // control ids print nothing
}

INSTANTIATE_TEST_SUITE_P(Sources, TinyTokenizer,
                         ::testing::Values("tokenizer.model", "tiny.gguf",
                                           "tiny_gqa.gguf", "../folders/plain",
                                           "../folders/sharded",
                                           "../folders/plain/tokenizer.json"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase_if(name, [](unsigned char c) {
                             return std::isalnum(c) == 0;
                           });
                           return name;
                         });

struct Bad {
  std::string name;
  std::function<void(sentencepiece::ModelProto&)> change;
  std::string words;
};
void PrintTo(const Bad& c, std::ostream* os) { *os << c.name; }

class BadModel : public ::testing::TestWithParam<Bad> {};

TEST_P(BadModel, IsRefused) {
  sentencepiece::ModelProto proto;
  std::ifstream in(tiny("tokenizer.model"), std::ios::binary);
  proto.ParseFromIstream(&in);
  GetParam().change(proto);
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    ("bad_" + GetParam().name + ".model");
  std::ofstream(path, std::ios::binary) << proto.SerializeAsString();
  try {
    (void)Tokenizer::open(path);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().words));
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadModel,
    ::testing::ValuesIn<Bad>({
        {"EmptyPiece", [](auto& p) { p.mutable_pieces(300)->set_piece(""); },
         "must not be empty"},
        {"PieceTwice",
         [](auto& p) {
           p.mutable_pieces(300)->set_piece(p.pieces(301).piece());
         },
         "already defined"},
        {"NoPieces", [](auto& p) { p.clear_pieces(); }, "no usable tokenizer"},
    }),
    [](const auto& test) { return test.param.name; });

void expect_open_fails(const std::string& path, Code code,
                       const std::string& words) {
  try {
    (void)Tokenizer::open(path);
    FAIL() << path << " not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

TEST(Tokenizer, SaysWhatAFileIsNot) {
  expect_open_fails(tiny("none.model"), Code::kNotFound, "cannot read");
  expect_open_fails(repository() + "tests/golden", Code::kNotFound,
                    "no model in this folder");
  expect_open_fails(repository() + "README.md", Code::kData,
                    "no usable tokenizer");
}

}  // namespace
}  // namespace penstock::gemma
