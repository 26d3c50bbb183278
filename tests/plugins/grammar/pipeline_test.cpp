// Whole pipelines whose answers fit, on a tiny random model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "gemma/tokenizer.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const char* const kSchema =
    R"({"type": "object", "properties": {
        "name": {"type": "string", "maxLength": 6},
        "age": {"type": "integer", "minimum": 1, "maximum": 99},
        "color": {"enum": ["red", "green"]}},
        "required": ["name", "age", "color"]})";

Request request(const std::string& id,
                std::map<std::string, std::string> options) {
  Request made;
  made.id = id;
  made.inputs["text"] = "Tell me of " + id;
  for (auto& [name, value] : options) {
    const bool is_text = name == "json_schema" || name == "regex" ||
                         name == "grammar" || name == "lark";
    made.options[name] = RawScalar{.text = value, .quoted = is_text};
  }
  return made;
}

std::vector<Override> tiny_model(double temperature) {
  return {{"model", tiny("tiny.gguf"), "test"},
          {"device", "cpu", "test"},
          {"forward.dtype", "fp32", "test"},
          {"decode.0.json_schema", "", "test"},
          {"decode.max_new_tokens", "200", "test"},
          {"decode.temperature", std::to_string(temperature), "test"}};
}

void expect_fits(const std::string& text) {
  const json parsed = json::parse(text);
  EXPECT_TRUE(parsed.at("name").is_string()) << text;
  EXPECT_GE(parsed.at("age").get<int>(), 1) << text;
  EXPECT_LE(parsed.at("age").get<int>(), 99) << text;
  EXPECT_TRUE(parsed.at("color") == "red" || parsed.at("color") == "green");
}

TEST(GemmaJson, AnswersFitTheRequestsOwnSchema) {
  for (const double temperature : {0.0, 1.5}) {
    std::vector<Request> requests;
    for (int i = 0; i < 12; ++i) {
      requests.push_back(
          request("r" + std::to_string(i),
                  {{"json_schema", kSchema}, {"seed", std::to_string(i)}}));
    }
    const auto results =
        run_file("gemma_json", std::move(requests), tiny_model(temperature));
    for (const auto& result : results) {
      ASSERT_EQ(result->report.finish_reason, "stop") << result->text;
      expect_fits(result->text);
    }
  }
}

/// Free rows, ruled rows of several kinds, jumps and none: each answer is what
/// it is alone.
TEST(GemmaJson, NeighboursAndJumpsChangeNothing) {
  const auto all = [](const std::string& jump) {
    std::vector<Request> out;
    for (int i = 0; i < 3; ++i) {
      const std::string seed = std::to_string(i);
      out.push_back(request("free" + seed, {{"seed", seed}}));
      out.push_back(request(
          "schema" + seed,
          {{"json_schema", kSchema}, {"seed", seed}, {"jump_forward", jump}}));
      out.push_back(request("regex" + seed, {{"regex", "[a-f]{3,9}-(x|y)"},
                                             {"seed", seed},
                                             {"jump_forward", jump}}));
    }
    return out;
  };
  const auto how = tiny_model(1.5);
  const auto together = run_file("gemma_json", all("true"), how);
  const auto stepwise = run_file("gemma_json", all("false"), how);
  const auto requests = all("true");
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto alone = run_file("gemma_json", {requests[i]}, how);
    EXPECT_EQ(together[i]->report.token_ids, alone[0]->report.token_ids)
        << requests[i].id;
    EXPECT_EQ(together[i]->report.token_ids, stepwise[i]->report.token_ids)
        << requests[i].id;
  }
}

/// Transformers with each row of scores masked by xgrammar's Python package,
/// see make_grammar.py.
struct Side {
  std::string model, engine, jump;
};
void PrintTo(const Side& side, std::ostream* os) {
  *os << side.model << ", " << side.engine << ", jump " << side.jump;
}
class Greedy : public ::testing::TestWithParam<Side> {};

TEST_P(Greedy, AnswersAreThoseOfTransformersUnderTheSameMask) {
  const auto& [model, engine, jump] = GetParam();
  const json cases = golden_json("grammar/" + model + ".json");
  std::vector<Request> requests;
  for (const auto& each : cases) {
    requests.push_back(request(std::to_string(requests.size()),
                               {{each.at("kind"), each.at("grammar")},
                                {"jump_forward", jump},
                                {"cut", "model"}}));
    requests.back().inputs["text"] = each.at("prompt").get<std::string>();
  }
  std::vector<Override> how = tiny_model(0);
  how[0].value = tiny(model + ".gguf");
  how.push_back({"forward.engine", engine, "test"});
  how.push_back({"decode.max_new_tokens", "48", "test"});
  const auto results = run_file("gemma_json", std::move(requests), how);
  ASSERT_GE(results.size(), 20);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& report = results[i]->report;
    ASSERT_FALSE(report.error) << report.error->what();
    EXPECT_EQ(report.finish_reason, cases[i].at("whole") ? "stop" : "length");
    Tokens ids = report.token_ids;
    if (!ids.empty() && ids.back() == 1) ids.pop_back();  // the end token
    EXPECT_EQ(compare_greedy(ids, cases[i].at("ids").get<Tokens>(),
                             cases[i].at("margins").get<std::vector<double>>(),
                             cases[i].at("grammar").get<std::string>()),
              "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Both, Greedy,
    ::testing::ValuesIn<Side>({{"tiny", "reference", "true"},
                               {"tiny", "reference", "false"},
                               {"tiny", "native", "true"},
                               {"tiny", "native", "false"},
                               {"tiny_gqa", "reference", "true"},
                               {"tiny_gqa", "reference", "false"}}));

/// Whatever the model and its temperature like best.
TEST(GemmaJson, ForcedTextAndFewChoicesAreCutAsTheTokenizerCuts) {
  const char* const schema =
      R"({"type": "object", "properties": {
          "is_customer": {"type": "boolean"},
          "language": {"enum": ["en", "de", "english", "deutsch"]},
          "all": {"type": "array", "items": {"enum": ["red", "green", 12]},
                  "minItems": 1, "maxItems": 3}},
          "required": ["is_customer", "language", "all"]})";
  const auto tokenizer = Tokenizer::open(tiny("tiny.gguf"));
  for (const double temperature : {0.0, 1.5}) {
    std::vector<Request> requests;
    for (int i = 0; i < 16; ++i) {
      const std::string seed = std::to_string(i);
      requests.push_back(
          request("r" + seed, {{"json_schema", schema}, {"seed", seed}}));
    }
    const auto results =
        run_file("gemma_json", std::move(requests), tiny_model(temperature));
    for (const auto& result : results) {
      ASSERT_EQ(result->report.finish_reason, "stop") << result->text;
      EXPECT_EQ(result->report.token_ids, tokenizer->encode(result->text))
          << result->text;
    }
  }
}

TEST(GemmaJson, ALimitThatComesFirstIsTold) {
  auto how = tiny_model(0);
  how.push_back({"decode.max_new_tokens", "3", "test"});
  const auto results =
      run_file("gemma_json", {request("r", {{"json_schema", kSchema}})}, how);
  EXPECT_EQ(results[0]->report.finish_reason, "length");
}

TEST(GemmaJson, WhatARequestAsksComesBeforeThePipelines) {
  auto how = tiny_model(0);
  how[3].value = R"({"enum": ["of the file"]})";
  const auto results = run_file(
      "gemma_json",
      {request("none", {}), request("regex", {{"regex", "own"}}),
       request("two", {{"regex", "a"}, {"grammar", "root ::= \"a\""}})},
      how);
  EXPECT_EQ(results[0]->text, "\"of the file\"");
  EXPECT_EQ(results[1]->text, "own");
  ASSERT_TRUE(results[2]->report.error);
  EXPECT_THAT(results[2]->report.error->what(),
              HasSubstr("regex and grammar are both set"));
}

class Files : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(::testing::TempDir()) / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::vector<Override> with(const std::string& param,
                             const std::string& value) {
    auto how = tiny_model(0);
    how.push_back({"decode.0." + param, value, "test"});
    return how;
  }
};

TEST_F(Files, HoldTheSchemaOrTheGrammar) {
  const auto schema = write("s.json", R"({"enum": ["from a file"]})");
  const auto results = run_file(
      "gemma_json", {request("file", {}), request("own", {{"regex", "own"}})},
      with("json_schema_file", schema));
  EXPECT_EQ(results[0]->text, "\"from a file\"");
  EXPECT_EQ(results[1]->text, "own");
  for (const auto& [name, text] :
       {std::pair("g.ebnf", "root ::= \"ab\""), {"g.lark", "start: \"ab\""}}) {
    EXPECT_EQ(run_file("gemma_json", {request("r", {})},
                       with("grammar_file", write(name, text)))[0]
                  ->text,
              "ab");
  }
}

TEST_F(Files, AreLookedAtBeforeAnyRequest) {
  const auto fault = [&](const std::vector<Override>& how) -> std::string {
    try {
      (void)run_file("gemma_json", {request("r", {})}, how);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(fault(with("json_schema_file", "no/such.json")),
              HasSubstr("'no/such.json' is no file"));
  EXPECT_THAT(fault(with("json_schema_file", ::testing::TempDir())),
              HasSubstr("is no file"));
  EXPECT_THAT(fault(with("json_schema_file", write("n.json", R"({"not": 1})"))),
              HasSubstr("has 'not', which is not supported"));
  auto both = with("grammar_file", write("a.ebnf", "root ::= \"a\""));
  both[3].value = "{}";
  EXPECT_THAT(fault(both), HasSubstr("are both set"));
}

TEST(GemmaJson, AWrongSchemaFailsItsRequestAlone) {
  const auto results = run_file(
      "gemma_json",
      {request("bad", {{"json_schema", R"({"type": "object", "not": {}})"}}),
       request("good", {{"json_schema", kSchema}})},
      tiny_model(0));
  ASSERT_TRUE(results[0]->report.error);
  EXPECT_THAT(results[0]->report.error->what(),
              HasSubstr("json_schema: has 'not', which is not supported"));
  EXPECT_THAT(results[0]->report.error->what(), HasSubstr("grammar.rule"));
  EXPECT_FALSE(results[1]->report.error);
  expect_fits(results[1]->text);
}

std::vector<Override> tiny_choices(const std::string& choices) {
  return {{"model", tiny("tiny.gguf"), "test"},
          {"device", "cpu", "test"},
          {"forward.dtype", "fp32", "test"},
          {"decode.0.choices", choices, "test"}};
}

TEST(GemmaChoices, AnswersAreAmongThem) {
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) {
    const std::string seed = std::to_string(i);
    requests.push_back(request("r" + seed, {{"seed", seed}}));
    requests.back().options["temperature"] = RawScalar{.text = "5"};
  }
  std::set<std::string> seen;
  for (const auto& result :
       run_file("gemma_choose", std::move(requests),
                tiny_choices("[yes, no, yellow, yellowish]"))) {
    EXPECT_EQ(result->report.finish_reason, "stop");
    seen.insert(result->text);
  }
  for (const std::string& text : seen) {
    EXPECT_THAT(text, ::testing::AnyOf("yes", "no", "yellow", "yellowish"));
  }
  EXPECT_GT(seen.size(), 1);
}

TEST(GemmaChoices, ARequestMayAskForOthersOrNone) {
  Request own = request("own", {});
  own.options["choices"] =
      std::vector<RawScalar>{{.text = "left", .quoted = true}};
  Request none = request("none", {});
  none.options["choices"] = std::vector<RawScalar>{};
  none.options["max_new_tokens"] = RawScalar{.text = "5"};
  const auto results =
      run_file("gemma_choose", {own, none}, tiny_choices("[yes, no]"));
  ASSERT_FALSE(results[0]->report.error) << results[0]->report.error->what();
  EXPECT_EQ(results[0]->text, "left");
  EXPECT_EQ(results[1]->report.token_ids.size(), 5);
}

}  // namespace
}  // namespace penstock::gemma
