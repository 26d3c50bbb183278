// What may follow what: by schema, regex and grammar.
#include "grammar/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string_view>

#include "penstock/error.h"
#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

using nlohmann::json;

const char* const kPerson = R"({"type": "object",
  "properties": {"name": {"type": "string", "maxLength": 8},
                 "age": {"type": "integer", "minimum": 0, "maximum": 120},
                 "tags": {"type": "array", "maxItems": 3,
                          "items": {"enum": ["a", "b", 3, null]}},
                 "is_new": {"type": "boolean"}},
  "required": ["name", "age", "tags", "is_new"]})";

TEST(Schema, RandomAnswersFitIt) {
  const Fixture fixture;
  int whole = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Answer answer = fixture.answer(Kind::kSchema, kPerson,
                                   {.is_cut_by_tokenizer = seed % 2 == 0});
    const auto text = fixture.walk(answer, seed, 400);
    if (!text) continue;
    ++whole;
    const json parsed = json::parse(*text);
    ASSERT_TRUE(parsed.at("name").is_string()) << *text;
    ASSERT_TRUE(parsed.at("age").is_number_integer()) << *text;
    EXPECT_GE(parsed.at("age").get<int>(), 0);
    EXPECT_LE(parsed.at("age").get<int>(), 120);
    EXPECT_LE(parsed.at("tags").size(), 3);
    for (const auto& tag : parsed.at("tags")) {
      EXPECT_TRUE(tag == "a" || tag == "b" || tag == 3 || tag.is_null());
    }
    EXPECT_TRUE(parsed.at("is_new").is_boolean());
    EXPECT_EQ(parsed.size(), 4);
  }
  EXPECT_EQ(whole, 200);
}

TEST(Json, RandomAnswersAreObjects) {
  const Fixture fixture;
  int whole = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Answer answer = fixture.answer(Kind::kJson, "");
    const auto text = fixture.walk(answer, seed, 3000);
    if (!text) continue;
    ++whole;
    try {
      EXPECT_TRUE(json::parse(*text).is_object()) << *text;
    } catch (const json::out_of_range&) {
      continue;  // 1e999 is JSON, and no double
    }
  }
  EXPECT_GT(whole, 50);
}

/// (na|an)+-[0-9]{2,4}(e|12)?
bool is_syllables_and_number(std::string_view text) {
  std::size_t pairs = 0;
  while (text.starts_with("na") || text.starts_with("an")) {
    text.remove_prefix(2);
    ++pairs;
  }
  if (pairs == 0 || !text.starts_with('-')) return false;
  text.remove_prefix(1);
  if (text.ends_with('e')) text.remove_suffix(1);
  // What is left may end with the 12 of the last group.
  return text.size() >= 2 && text.size() <= 6 &&
         text.find_first_not_of("0123456789") == text.npos &&
         (text.size() <= 4 || text.ends_with("12"));
}

/// [0-9]+( [+-] [0-9]+)*
bool is_sum(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  std::string joined;
  for (bool is_number = true; words >> word; is_number = !is_number) {
    const bool fits = is_number
                          ? word.find_first_not_of("0123456789") == word.npos
                          : word == "+" || word == "-";
    if (!fits) return false;
    joined += (joined.empty() ? "" : " ") + word;
  }
  return joined == text && !text.empty() && text.back() >= '0';
}

TEST(Regex, RandomAnswersMatchIt) {
  const Fixture fixture;
  const std::string regex = "(na|an)+-[0-9]{2,4}(e|12)?";
  for (unsigned seed = 0; seed < 100; ++seed) {
    Answer answer = fixture.answer(Kind::kRegex, regex);
    const auto text = fixture.walk(answer, seed, 400);
    ASSERT_TRUE(text);
    EXPECT_TRUE(is_syllables_and_number(*text)) << *text;
  }
}

TEST(Grammar, TakesEbnfAndLark) {
  const Fixture fixture;
  for (unsigned seed = 0; seed < 50; ++seed) {
    Answer ebnf = fixture.answer(Kind::kGrammar,
                                 "root ::= n (\" \" [+-] \" \" n)*\n"
                                 "n ::= [0-9]+\n");
    Answer lark = fixture.answer(Kind::kLark,
                                 "start: N (\" \" OP \" \" N)*\n"
                                 "N: /[0-9]+/\nOP: /[+-]/\n");
    for (Answer* answer : {&ebnf, &lark}) {
      const auto text = fixture.walk(*answer, seed, 1000);
      ASSERT_TRUE(text);
      EXPECT_TRUE(is_sum(*text)) << *text;
    }
  }
}

TEST(Grammar, ReadsTwoDigitsOfACharactersNumber) {
  const Fixture fixture;
  const std::vector<std::array<std::string, 2>> grammars{
      {R"(root ::= "\x41B\x7fa")",
       "AB\x7f"
       "a"},
      {R"(root ::= "\x41AAAAAAAAAAAAAAA")", "AAAAAAAAAAAAAAAA"},
      {R"(root ::= "d\xe9claré")", "déclaré"}};
  for (const auto& [grammar, text] : grammars) {
    Answer answer = fixture.answer(Kind::kGrammar, grammar);
    EXPECT_EQ(fixture.walk(answer, 1, 40), text) << grammar;
  }
  Answer regex = fixture.answer(Kind::kRegex, R"(\x41B[\x43]D\u{e9}a)");
  EXPECT_EQ(fixture.walk(regex, 1, 40), "ABCDéa");
  Answer schema = fixture.answer(Kind::kSchema, R"({"const": "\u00e9a"})");
  EXPECT_EQ(fixture.walk(schema, 1, 40), R"("éa")");
}

TEST(Answer, EndsAtOnceWhereOnlyTheEndMayFollow) {
  const Fixture fixture;
  Answer answer = fixture.answer(Kind::kRegex, "ab?");
  EXPECT_EQ(answer.look(Tokens{}).allowed->ids(), (Tokens{'a'}));
  EXPECT_EQ(answer.look(Tokens{'a'}).allowed->ids(), (Tokens{kEnd, 'b'}));
  EXPECT_TRUE(answer.look(Tokens{'a', 'b'}).allowed->is_empty());
  EXPECT_TRUE(answer.look(Tokens{'a', kEnd}).allowed->is_empty());
}

/// Guesses are looked at and left again: the place is what the tokens say.
TEST(Answer, DependsOnTheTokensAlone) {
  const Fixture fixture;
  Answer wandering = fixture.answer(Kind::kSchema, kPerson);
  const auto encoded = [&](const char* text) {
    return fixture.vocabulary->encode(text);
  };
  const std::array ways{
      encoded(R"({"name": "an12e", "age": 12, "tags": ["a"], "is_new": true})"),
      encoded(R"({"name": "an12", "age": 120, "tags": [], "is_new": false})")};
  std::mt19937 engine(5);
  for (int i = 0; i < 600; ++i) {
    const Tokens& whole = ways.at(engine() % 2);
    const Tokens some(whole.begin(),
                      whole.begin() + static_cast<std::ptrdiff_t>(
                                          engine() % (whole.size() + 1)));
    Answer fresh = fixture.answer(Kind::kSchema, kPerson);
    EXPECT_EQ(*wandering.look(some).allowed, *fresh.look(some).allowed);
    if (i % 3 == 0) {
      EXPECT_EQ(wandering.foresee(some, 9), fresh.foresee(some, 9));
    }
  }
  EXPECT_TRUE(wandering.look(ways[0]).allowed->is_empty());
}

TEST(Answer, ForeseesAsTheTokenizerCuts) {
  const Fixture fixture;
  Answer answer = fixture.answer(Kind::kSchema, kPerson);
  const auto& vocabulary = *fixture.vocabulary;
  EXPECT_EQ(vocabulary.text(answer.foresee(Tokens{}, 99)), R"({"name": ")");
  EXPECT_EQ(answer.foresee(Tokens{}, 99), vocabulary.encode(R"({"name": ")"));
  EXPECT_EQ(answer.foresee(Tokens{}, 2).size(), 2);
  const Tokens named = vocabulary.encode(R"({"name": "an",)");
  EXPECT_EQ(vocabulary.text(answer.foresee(named, 99)), R"( "age": )");
  Answer still = fixture.answer(Kind::kSchema, kPerson, {.is_foreseen = false});
  EXPECT_TRUE(still.foresee(Tokens{}, 99).empty());
}

TEST(Answer, ForeseesAPartOfWhatHasNoEnd) {
  const Fixture fixture;
  Answer answer = fixture.answer(Kind::kGrammar, R"(root ::= "a|" root)");
  const std::string text =
      fixture.vocabulary->text(answer.foresee(Tokens{}, 1 << 20));
  EXPECT_TRUE(text.starts_with("a|a|a|"));
  EXPECT_LE(text.size(), 1024);
  Answer walked = fixture.answer(Kind::kGrammar, R"(root ::= "a|" root)",
                                 {.is_cut_by_tokenizer = true});
  EXPECT_FALSE(fixture.walk(walked, 1, 3000));  // no end, and no endless step
  // Of 2^30 characters: an end, but nobody waits for it.
  std::string doubled = "root ::= r0 \".\"\nr30 ::= \"a\"\n";
  for (int i = 0; i < 30; ++i) {
    doubled += str("r", i, " ::= r", i + 1, " r", i + 1, "\n");
  }
  Answer long_answer = fixture.answer(Kind::kGrammar, doubled);
  EXPECT_LE(long_answer.foresee(Tokens{}, 1 << 20).size(), 1024);
}

/// A grammar of few texts at each place, some of which begin others.
const char* const kFew = R"({"type": "object",
  "properties": {"name": {"enum": ["na", "name", "an", "ane", ""]},
                 "is_new": {"type": "boolean"},
                 "tags": {"type": "array", "maxItems": 2,
                          "items": {"enum": ["e", "an12", 12, 1, null]}}},
  "required": ["name", "is_new", "tags"]})";

TEST(Cut, IsTheTokenizersWhereTextsAreFew) {
  const Fixture fixture;
  for (unsigned seed = 0; seed < 300; ++seed) {
    Answer answer = fixture.answer(Kind::kSchema, kFew);
    const auto tokens = fixture.walk_tokens(answer, seed, 400);
    ASSERT_TRUE(tokens);
    const std::string text = fixture.vocabulary->text(*tokens);
    EXPECT_EQ(*tokens, fixture.vocabulary->encode(text)) << text;
    EXPECT_TRUE(json::accept(text)) << text;
  }
}

TEST(Cut, LeavesEveryTextPossible) {
  const Fixture fixture;
  const auto texts = [&](bool is_cut) {
    std::set<std::string> found;
    for (unsigned seed = 0; seed < 3000; ++seed) {
      Answer answer = fixture.answer(
          Kind::kRegex,
          "x(na|name|an|ane|12|1|true|t|\\xC3\\xA4?)( \"| )(e|me)?",
          {.is_cut_by_tokenizer = is_cut});
      found.insert(fixture.walk(answer, seed, 100).value());
    }
    return found;
  };
  const auto found = texts(true);
  EXPECT_EQ(found, texts(false));
  EXPECT_GT(found.size(), 40);
}

TEST(Cut, LeavesFreeTextToTheModel) {
  const Fixture fixture;
  Answer cut = fixture.answer(Kind::kSchema, R"({"type": "string"})");
  Answer mask = fixture.answer(Kind::kSchema, R"({"type": "string"})",
                               {.is_cut_by_tokenizer = false});
  const Tokens begun = fixture.vocabulary->encode("\"an");
  EXPECT_EQ(*cut.look(begun).allowed, *mask.look(begun).allowed);
  EXPECT_GT(cut.look(begun).allowed->size(), 100);
}

TEST(Answer, CountsCharactersAndNotBytes) {
  const Fixture fixture;
  for (unsigned seed = 0; seed < 50; ++seed) {
    Answer answer =
        fixture.answer(Kind::kSchema, R"({"type": "string", "maxLength": 3})");
    const auto text = fixture.walk(answer, seed, 400);
    ASSERT_TRUE(text);
    EXPECT_TRUE(json::parse(*text).is_string()) << *text;
  }
}

/// Beyond 64 characters they are counted as they come.
TEST(Answer, HoldsLengthsOfAnySize) {
  const Fixture fixture;
  struct Bounds {
    std::size_t least, most;
  };
  for (const auto& [least, most] :
       {Bounds{0, 0}, {2, 5}, {3, 64}, {0, 70}, {60, 66}, {99, 300}}) {
    Answer wandering = fixture.answer(
        Kind::kSchema, str(R"({"type": "string", "minLength": )", least,
                           R"(, "maxLength": )", most, "}"));
    const auto may_end = [&](std::size_t length) {
      const Tokens text =
          fixture.vocabulary->encode('"' + std::string(length, 'e'));
      return wandering.look(text).allowed->contains('"');
    };
    EXPECT_TRUE(may_end(most));
    EXPECT_TRUE(may_end(least));
    EXPECT_EQ(least > 0 && may_end(least - 1), false);
    const Tokens full =
        fixture.vocabulary->encode('"' + std::string(most, 'x'));
    EXPECT_FALSE(wandering.look(full).allowed->contains('e'));
    EXPECT_FALSE(wandering.look(full).allowed->contains('\t'));
  }
}

/// xgrammar 0.2.8 alone would take them, see PenstockXgrammar.cmake.
TEST(Answer, TakesNoPartOfWhatMayBeLeftOut) {
  const Fixture fixture;
  const auto pattern = [&](const std::string& regex, const std::string& text) {
    Answer answer = fixture.answer(
        Kind::kSchema, R"({"type": "string", "pattern": ")" + regex + "\"}");
    try {
      return answer.look(fixture.vocabulary->encode('"' + text))
          .allowed->contains('"');
    } catch (const Error&) {
      return false;
    }
  };
  EXPECT_TRUE(pattern("x(ab*)?", "xabb"));
  EXPECT_TRUE(pattern("x(ab*)?", "x"));
  EXPECT_FALSE(pattern("x(ab*)?", "xb"));
  EXPECT_FALSE(pattern("[a-z]+(-[0-9]{1,3})?", "ab12"));
  EXPECT_TRUE(pattern("(ab{1,2}){2,}", "ababbab"));
  EXPECT_FALSE(pattern("(ab{1,2}){2,}", "ababbbab"));
  EXPECT_FALSE(pattern("(ab{1,2}){2,}", "abb"));
}

TEST(Answer, RefusesAnotherTextThanTheGrammars) {
  const Fixture fixture;
  Answer answer = fixture.answer(Kind::kRegex, "ab");
  EXPECT_THROW((void)answer.look(Tokens{'b'}), Error);
}

}  // namespace
}  // namespace penstock::grammar
