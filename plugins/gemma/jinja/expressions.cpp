#include "gemma/jinja/expressions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr int kMostDepth = 200;

/// Operators from weak to strong; between them in strength stands `~`.
const std::array<std::vector<std::string>, 4> kLevels{
    {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}}};

}  // namespace

/// Nested too deep, a template would overflow the stack.
class ExpressionParser::Deeper {
 public:
  explicit Deeper(ExpressionParser& parser) : parser_(parser) {
    if (++parser_.depth_ > kMostDepth) parser_.fail("less nesting");
  }
  ~Deeper() { --parser_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  ExpressionParser& parser_;
};

void ExpressionParser::fail(const std::string& expected) const {
  const Token& token = peek();
  fail_at(token.line, str("expected ", expected, ", not ",
                          token.kind == TokenKind::kEnd
                              ? "the end"
                              : "'" + token.text.substr(0, 40) + "'"));
}

bool ExpressionParser::skip(TokenKind kind, const char* text) {
  if (!is(kind, text)) return false;
  next();
  return true;
}

void ExpressionParser::expect(TokenKind kind, const char* text) {
  if (!skip(kind, text)) fail(std::string("'") + text + "'");
}

std::string ExpressionParser::name() {
  if (peek().kind != TokenKind::kName) fail("a name");
  return next().text;
}

ExpressionPtr ExpressionParser::make(ExpressionKind kind) const {
  auto out = std::make_unique<Expression>();
  out->kind = kind;
  out->line = peek().line;
  return out;
}

ExpressionPtr ExpressionParser::binary(ExpressionPtr left, std::string word,
                                       ExpressionPtr right) const {
  auto out = make(ExpressionKind::kBinary);
  out->word = std::move(word);
  out->parts.push_back(std::move(left));
  out->parts.push_back(std::move(right));
  return out;
}

bool ExpressionParser::has_name(const char* word, std::size_t from) const {
  return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(from),
                     tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
                     [&](const Token& token) {
                       return token.kind == TokenKind::kName &&
                              token.text == word;
                     });
}

ExpressionPtr ExpressionParser::tuple() {
  return several([&] { return expression(); });
}

ExpressionPtr ExpressionParser::loop_list() {
  return several([&] { return either(); });
}

template <class Parse>
ExpressionPtr ExpressionParser::several(Parse&& parse) {
  auto first = parse();
  if (!is_operator(",")) return first;
  auto out = make(ExpressionKind::kTuple);
  out->parts.push_back(std::move(first));
  while (skip(TokenKind::kOperator, ",")) {
    const bool is_end = is(TokenKind::kEndBlock) || is(TokenKind::kEndOutput) ||
                        is_operator(")") || is_operator("]") || is_name("if") ||
                        is_name("recursive");
    if (is_end) break;
    out->parts.push_back(parse());
  }
  return out;
}

ExpressionPtr ExpressionParser::expression() {
  const Deeper deeper(*this);
  auto out = either();
  while (is_name("if")) {
    auto choice = make(ExpressionKind::kConditional);
    next();
    choice->parts.push_back(std::move(out));
    choice->parts.push_back(either());
    choice->parts.push_back(skip(TokenKind::kName, "else") ? expression()
                                                           : nullptr);
    out = std::move(choice);
  }
  return out;
}

ExpressionPtr ExpressionParser::either() {
  auto out = both();
  while (skip(TokenKind::kName, "or")) {
    out = binary(std::move(out), "or", both());
  }
  return out;
}

ExpressionPtr ExpressionParser::both() {
  auto out = negation();
  while (skip(TokenKind::kName, "and")) {
    out = binary(std::move(out), "and", negation());
  }
  return out;
}

ExpressionPtr ExpressionParser::negation() {
  const Deeper deeper(*this);
  if (!skip(TokenKind::kName, "not")) return comparison();
  auto out = make(ExpressionKind::kNot);
  out->parts.push_back(negation());
  return out;
}

ExpressionPtr ExpressionParser::comparison() {
  auto out = make(ExpressionKind::kComparison);
  out->parts.push_back(level(0));
  for (;;) {
    std::string word;
    for (const char* each : {"==", "!=", "<", ">", "<=", ">="}) {
      if (is_operator(each)) word = each;
    }
    if (is_name("in")) word = "in";
    if (is_name("not")) {
      next();
      if (!is_name("in")) fail("'in'");
      word = "not in";
    }
    if (word.empty()) break;
    next();
    out->words.push_back(word);
    out->parts.push_back(level(0));
  }
  return out->words.empty() ? std::move(out->parts[0]) : std::move(out);
}

ExpressionPtr ExpressionParser::level(std::size_t strength) {
  if (strength == kLevels.size()) return unary(/*has_filters=*/true);
  auto out = level(strength + 1);
  for (;;) {
    std::string word;
    for (const std::string& each : kLevels.at(strength)) {
      if (is_operator(each.c_str())) word = each;
    }
    if (word.empty()) return out;
    next();
    out = binary(std::move(out), word, level(strength + 1));
  }
}

ExpressionPtr ExpressionParser::unary(bool has_filters) {
  const Deeper deeper(*this);
  ExpressionPtr out;
  if (is_operator("-") || is_operator("+")) {
    out = make(is_operator("-") ? ExpressionKind::kNegative
                                : ExpressionKind::kPositive);
    next();
    out->parts.push_back(unary(/*has_filters=*/false));
  } else {
    out = postfix(primary());
  }
  return has_filters ? filters(std::move(out)) : std::move(out);
}

ExpressionPtr ExpressionParser::primary() {
  if (is(TokenKind::kName)) {
    auto out = make(ExpressionKind::kName);
    out->word = next().text;
    const auto literal = [&](Value value) {
      out->kind = ExpressionKind::kLiteral;
      out->value = std::move(value);
    };
    if (out->word == "true" || out->word == "True") literal(true);
    if (out->word == "false" || out->word == "False") literal(false);
    if (out->word == "none" || out->word == "None") literal(None());
    return out;
  }
  if (skip(TokenKind::kOperator, "(")) {
    if (is_operator(")")) {
      next();
      return make(ExpressionKind::kTuple);
    }
    auto out = tuple();
    expect(TokenKind::kOperator, ")");
    return out;
  }
  if (is_operator("[")) {
    auto out = make(ExpressionKind::kList);
    next();
    while (!is_operator("]")) {
      out->parts.push_back(expression());
      if (!skip(TokenKind::kOperator, ",")) break;
    }
    expect(TokenKind::kOperator, "]");
    return out;
  }
  return is_operator("{") ? map_literal() : literal();
}

ExpressionPtr ExpressionParser::map_literal() {
  auto out = make(ExpressionKind::kMap);
  next();
  while (!is_operator("}")) {
    out->parts.push_back(expression());
    expect(TokenKind::kOperator, ":");
    out->parts.push_back(expression());
    if (!skip(TokenKind::kOperator, ",")) break;
  }
  expect(TokenKind::kOperator, "}");
  return out;
}

ExpressionPtr ExpressionParser::literal() {
  auto out = make(ExpressionKind::kLiteral);
  const std::string& digits = peek().text;
  if (is(TokenKind::kString)) {
    std::string whole = next().text;
    while (is(TokenKind::kString)) whole += next().text;
    out->value = text(whole);
    return out;
  }
  if (is(TokenKind::kInteger)) {
    std::int64_t value = 0;
    const char letter = digits.size() > 1 ? digits[1] | 32 : ' ';
    const int base = letter == 'x'   ? 16
                     : letter == 'o' ? 8
                     : letter == 'b' ? 2
                                     : 10;
    const auto read =
        std::from_chars(digits.data() + (base == 10 ? 0 : 2),
                        digits.data() + digits.size(), value, base);
    if (read.ptr != digits.data() + digits.size()) fail("a number");
    if (read.ec != std::errc()) fail("a smaller number");
    out->value = value;
  } else if (is(TokenKind::kReal)) {
    double value = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), value);
    out->value = value;
  } else {
    fail("a value");
  }
  next();
  return out;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr on) {
  for (;;) {
    if (skip(TokenKind::kOperator, ".")) {
      auto out = make(ExpressionKind::kMember);
      out->parts.push_back(std::move(on));
      if (is(TokenKind::kInteger)) {
        out->kind = ExpressionKind::kItem;
        out->parts.push_back(literal());
      } else {
        out->word = name();
      }
      on = std::move(out);
    } else if (is_operator("[")) {
      on = subscript(std::move(on));
    } else if (is_operator("(")) {
      auto out = make(ExpressionKind::kCall);
      out->parts.push_back(std::move(on));
      arguments(*out);
      on = std::move(out);
    } else {
      return on;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr on) {
  auto out = make(ExpressionKind::kItem);
  next();
  out->parts.push_back(std::move(on));
  if (!is_operator(":")) out->parts.push_back(tuple());
  if (is_operator(":")) {
    out->kind = ExpressionKind::kSlice;
    out->parts.resize(2);
    while (skip(TokenKind::kOperator, ":")) {
      const bool is_left_out = is_operator(":") || is_operator("]");
      out->parts.push_back(is_left_out ? nullptr : expression());
    }
    if (out->parts.size() > 4) fail("']'");
    out->parts.resize(4);
  }
  expect(TokenKind::kOperator, "]");
  return out;
}

void ExpressionParser::arguments(Expression& call) {
  expect(TokenKind::kOperator, "(");
  while (!is_operator(")")) {
    const bool is_named = is(TokenKind::kName) && at_ + 1 < tokens_.size() &&
                          tokens_[at_ + 1].kind == TokenKind::kOperator &&
                          tokens_[at_ + 1].text == "=";
    if (is_named) {
      std::string key = name();
      next();
      call.named.emplace_back(std::move(key), expression());
    } else if (skip(TokenKind::kOperator, "*")) {
      if (call.more_parts) fail("one list with '*'");
      call.more_parts = expression();
    } else if (skip(TokenKind::kOperator, "**")) {
      if (call.more_named) fail("one map with '**'");
      call.more_named = expression();
    } else {
      if (!call.named.empty() || call.more_named) fail("a named argument");
      call.parts.push_back(expression());
    }
    if (!skip(TokenKind::kOperator, ",")) break;
  }
  expect(TokenKind::kOperator, ")");
}

ExpressionPtr ExpressionParser::filter(ExpressionPtr on) {
  auto out = make(ExpressionKind::kFilter);
  out->word = name();
  out->parts.push_back(std::move(on));
  if (is_operator("(")) arguments(*out);
  return out;
}

ExpressionPtr ExpressionParser::block_filters() {
  return filters(filter(nullptr));
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr on) {
  for (;;) {
    if (skip(TokenKind::kOperator, "|")) {
      on = filter(std::move(on));
    } else if (skip(TokenKind::kName, "is")) {
      on = test(std::move(on));
    } else if (is_operator("(") || is_operator("[") || is_operator(".")) {
      on = postfix(std::move(on));
    } else {
      return on;
    }
  }
}

ExpressionPtr ExpressionParser::test(ExpressionPtr on) {
  const bool is_negated = skip(TokenKind::kName, "not");
  auto out = make(ExpressionKind::kTest);
  out->word = name();
  out->parts.push_back(std::move(on));
  if (is_name("is")) fail("no second test; put the first in brackets");
  const bool is_word = is(TokenKind::kName) && !is_name("else") &&
                       !is_name("or") && !is_name("and") && !is_name("if") &&
                       !is_name("in") && !is_name("not");
  if (is_operator("(")) {
    arguments(*out);
  } else if (is_word || is(TokenKind::kString) || is(TokenKind::kInteger) ||
             is(TokenKind::kReal) || is_operator("[") || is_operator("{")) {
    out->parts.push_back(postfix(primary()));
  }
  if (!is_negated) return out;
  auto negated = make(ExpressionKind::kNot);
  negated->parts.push_back(std::move(out));
  return negated;
}

}  // namespace penstock::gemma::jinja
