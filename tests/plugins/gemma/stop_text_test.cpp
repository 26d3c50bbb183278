// Stop strings: whatever the pieces, what is shown is the text before the first
// one, and never a part of one.
#include "gemma/stop_text.h"

#include <gtest/gtest.h>

namespace penstock::gemma {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> stops, pieces;
  std::vector<std::string> wanted;  ///< after each piece, then at the end
  bool is_found;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class Stops : public ::testing::TestWithParam<Case> {};

TEST_P(Stops, ShowWhatIsSafe) {
  const Case& c = GetParam();
  StopText text(c.stops);
  std::vector<std::string> got;
  for (const std::string& piece : c.pieces) got.push_back(text.add(piece));
  got.push_back(text.finish());
  EXPECT_EQ(got, c.wanted);
  EXPECT_EQ(text.is_found(), c.is_found);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Stops,
    ::testing::ValuesIn<Case>({
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

}  // namespace
}  // namespace penstock::gemma
