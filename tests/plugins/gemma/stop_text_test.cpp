// Stop strings: whatever the pieces, what is shown is the text before the first
// one, and never a part of one.
#include "gemma/stop_text.h"

#include <gtest/gtest.h>

#include "gemma/text_writer.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

struct StopTextCase {
  std::string name;
  std::vector<std::string> stops, pieces;
  std::vector<std::string> wanted;  ///< after each piece, then at the end
  bool is_found;
};
void PrintTo(const StopTextCase& c, std::ostream* os) { *os << c.name; }

class Stops : public ::testing::TestWithParam<StopTextCase> {};

TEST_P(Stops, ShowWhatIsSafe) {
  const StopTextCase& c = GetParam();
  StopText text(c.stops);
  std::vector<std::string> got;
  for (const std::string& piece : c.pieces) got.push_back(text.add(piece));
  got.push_back(text.finish());
  EXPECT_EQ(got, c.wanted);
  EXPECT_EQ(text.is_found(), c.is_found);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Stops,
    ::testing::ValuesIn<StopTextCase>({
        {"None", {}, {"a", "b"}, {"a", "b", ""}, false},
        {"InOnePiece", {"STOP"}, {"a STOP b"}, {"a ", ""}, true},
        {"AcrossPieces",
         {"STOP"},
         {"a S", "T", "OP b"},
         {"a ", "", "", ""},
         true},
        {"HeldBackInVain", {"STOP"}, {"ST", "ARE"}, {"", "STARE", ""}, false},
        {"BegunAgainWhileHeld", {"aab"}, {"aa", "ab"}, {"", "a", ""}, true},
        {"HeldAtTheEnd", {"STOP"}, {"a STO"}, {"a ", "STO"}, false},
        {"TheFirstToBeWhole", {"cd", "bcde"}, {"abcdef"}, {"ab", ""}, true},
        {"TheLongerOfThoseThatEndTogether",
         {"d", "bcd"},
         {"abcd"},
         {"a", ""},
         true},
        {"AtTheStart", {"\n\n"}, {"\n", "\nx"}, {"", "", ""}, true},
        {"OneByte", {"\n"}, {"a\nb"}, {"a", ""}, true},
        {"NothingAfterIt", {"x"}, {"ax", "b"}, {"a", "", ""}, true},
        {"HoldsWhatTheLongestNeeds",
         {"ab", "xabc!"},
         {"xa", "c"},
         {"", "xac", ""},
         false},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Stops, DoNotDependOnHowTheTextComes) {
  const std::string whole = "abacabadabacabaeabacaba";
  const std::vector<std::string> stops{"abacabae", "daba!"};
  for (std::size_t size = 1; size < whole.size(); ++size) {
    StopText text(stops);
    std::string shown;
    for (std::size_t at = 0; at < whole.size(); at += size) {
      shown += text.add(whole.substr(at, size));
    }
    EXPECT_EQ(shown + text.finish(), "abacabad") << size;
  }
}

/// Keeps the text alone.
class Text final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* text = std::get_if<std::string>(&value)) all += *text;
  }
  std::string all;
};

/// Only Decode knows whether its last token is what ended the answer.
TEST(TextWriter, LeavesTheLastTokenOutWhereItIsAStopId) {
  const auto tokenizer = Tokenizer::open(tiny("tiny.gguf"));
  const std::string text = "Paris, France";
  for (const Finish finish :
       {Finish::kStop, Finish::kStopId, Finish::kLength}) {
    Decoded decoded;
    decoded.item = std::make_shared<Item>();
    decoded.tokens = tokenizer->encode(text);
    ASSERT_GT(decoded.tokens.size(), 1U);
    const std::string last = tokenizer->piece(decoded.tokens.back()).text;
    ASSERT_FALSE(last.empty());
    decoded.finish = finish;
    TextWriter writer(tokenizer, {});
    Text out;
    writer.write(decoded, out);
    writer.end(out);
    EXPECT_EQ(out.all, finish == Finish::kStopId
                           ? text.substr(0, text.size() - last.size())
                           : text);
  }
}

}  // namespace
}  // namespace penstock::gemma
