#include "gemma/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include "gemma/jinja/expressions.h"
#include "gemma/jinja/lexer.h"

namespace penstock::gemma::jinja {
namespace {

constexpr int kMostDepth = 100;

class Parser {
 public:
  explicit Parser(const std::vector<Token>& tokens) : in_(tokens) {}

  Block whole() {
    Block out = block({});
    if (!in_.is(TokenKind::kEnd)) in_.fail("no such tag here");
    return out;
  }

 private:
  using Words = std::initializer_list<const char*>;

  /// Statements up to one of `ends`, whose word is taken, not its end.
  Block block(Words ends) {
    if (++depth_ > kMostDepth) in_.fail("less nesting");
    Block out;
    while (!in_.is(TokenKind::kEnd)) {
      if (in_.is(TokenKind::kData)) {
        Statement& text = out.emplace_back();
        text.line = in_.peek().line;
        text.text = in_.next().text;
      } else if (in_.is(TokenKind::kBeginOutput)) {
        Statement& output = start(out, StatementKind::kOutput);
        output.value = in_.tuple();
        if (!in_.is(TokenKind::kEndOutput)) in_.fail("'}}'");
        in_.next();
      } else {
        in_.next();  // {%
        const bool is_end =
            std::any_of(ends.begin(), ends.end(),
                        [&](const char* word) { return in_.is_name(word); });
        if (is_end) {
          last_ = in_.next().text;
          --depth_;
          return out;
        }
        statement(out);
      }
    }
    if (ends.size() > 0) in_.fail(std::string("{% ") + *ends.begin() + " %}");
    --depth_;
    return out;
  }

  Statement& start(Block& out, StatementKind kind) {
    Statement& made = out.emplace_back();
    made.kind = kind;
    made.line = in_.next().line;
    return made;
  }
  void end_tag() {
    if (!in_.is(TokenKind::kEndBlock)) in_.fail("'%}'");
    in_.next();
  }

  void statement(Block& out) {
    using Parse = void (Parser::*)(Statement&);
    struct Tag {
      StatementKind kind;
      Parse parse;
    };
    static const std::map<std::string, Tag> tags{
        {"if", {StatementKind::kIf, &Parser::conditional}},
        {"for", {StatementKind::kFor, &Parser::loop}},
        {"set", {StatementKind::kSet, &Parser::assignment}},
        {"macro", {StatementKind::kMacro, &Parser::macro}},
        {"call", {StatementKind::kCallOf, &Parser::call_of}},
        {"filter", {StatementKind::kFilter, &Parser::filter}},
        {"with", {StatementKind::kWith, &Parser::with}},
        {"generation", {StatementKind::kBlock, &Parser::generation}},
        {"break", {StatementKind::kBreak, &Parser::jump}},
        {"continue", {StatementKind::kContinue, &Parser::jump}}};
    const auto found = tags.find(in_.peek().text);
    if (!in_.is(TokenKind::kName) || found == tags.end()) {
      in_.fail(
          "if, for, set, macro, call, filter, with, generation, break or "
          "continue");
    }
    (this->*found->second.parse)(start(out, found->second.kind));
  }

  /// The rest of a tag, and what stands up to the tag `end`.
  Block body(const char* end) {
    end_tag();
    Block out = block({end});
    end_tag();
    return out;
  }

  /// Marks an answer for training: nothing here.
  void generation(Statement& made) { made.body = body("endgeneration"); }

  void jump(Statement& /*made*/) {
    if (loops_ == 0) in_.fail("a loop around it");
    end_tag();
  }

  void filter(Statement& made) {
    made.value = in_.block_filters();
    made.body = body("endfilter");
  }

  void with(Statement& made) {
    while (!in_.is(TokenKind::kEndBlock)) {
      made.names.push_back(in_.name());
      in_.expect(TokenKind::kOperator, "=");
      made.defaults.push_back(in_.expression());
      if (!in_.skip(TokenKind::kOperator, ",")) break;
    }
    made.body = body("endwith");
  }

  /// {% call(a, b) macro(...) %}
  void call_of(Statement& made) {
    made.word = "caller";
    if (in_.is_operator("(")) parameters(made);
    made.value = in_.expression();
    if (made.value->kind != ExpressionKind::kCall) in_.fail("a call");
    macro_body(made, "endcall");
  }

  void conditional(Statement& made) {
    made.value = in_.tuple();
    end_tag();
    made.body = block({"endif", "else", "elif"});
    if (last_ == "elif") {
      Statement& inner = made.otherwise.emplace_back();
      inner.kind = StatementKind::kIf;
      inner.line = in_.peek().line;
      if (++depth_ > kMostDepth) in_.fail("fewer elif");
      conditional(inner);
      --depth_;
      return;
    }
    end_tag();
    if (last_ != "else") return;
    made.otherwise = block({"endif"});
    end_tag();
  }

  /// a; a.b of a namespace; a, (b, c): several are taken apart.
  Target target() {
    if (++depth_ > kMostDepth) in_.fail("less nesting");
    Target out;
    bool is_several = false;
    do {
      const bool is_end = in_.is_name("in") ||
                          !(in_.is(TokenKind::kName) || in_.is_operator("("));
      if (is_several && is_end) break;
      out.parts.push_back(one_target());
      is_several |= in_.is_operator(",");
    } while (in_.skip(TokenKind::kOperator, ","));
    --depth_;
    if (is_several) return out;
    return Target(out.parts[0]);
  }
  Target one_target() {
    Target out;
    if (in_.skip(TokenKind::kOperator, "(")) {
      out = target();
      in_.expect(TokenKind::kOperator, ")");
      return out;
    }
    out.word = in_.name();
    if (in_.skip(TokenKind::kOperator, ".")) out.attribute = in_.name();
    return out;
  }

  void loop(Statement& made) {
    made.target = target();
    in_.expect(TokenKind::kName, "in");
    made.value = in_.loop_list();
    if (in_.skip(TokenKind::kName, "if")) made.condition = in_.expression();
    made.is_recursive = in_.skip(TokenKind::kName, "recursive");
    end_tag();
    ++loops_;
    made.body = block({"endfor", "else"});
    --loops_;
    end_tag();
    if (last_ != "else") return;
    made.otherwise = block({"endfor"});
    end_tag();
  }

  void assignment(Statement& made) {
    made.target = target();
    if (in_.skip(TokenKind::kOperator, "=")) {
      made.value = in_.tuple();
      end_tag();
      return;
    }
    if (in_.is_operator("|")) made.condition = in_.filters(nullptr);
    made.body = body("endset");
  }

  void parameters(Statement& made) {
    in_.expect(TokenKind::kOperator, "(");
    while (!in_.is_operator(")")) {
      made.names.push_back(in_.name());
      if (in_.skip(TokenKind::kOperator, "=")) {
        made.defaults.push_back(in_.expression());
      } else if (!made.defaults.empty()) {
        in_.fail("a default");
      }
      if (!in_.skip(TokenKind::kOperator, ",")) break;
    }
    in_.expect(TokenKind::kOperator, ")");
  }

  void macro(Statement& made) {
    made.word = in_.name();
    parameters(made);
    macro_body(made, "endmacro");
  }

  void macro_body(Statement& made, const char* end) {
    const int around = std::exchange(loops_, 0);
    const std::size_t from = in_.at();
    made.body = body(end);
    made.takes_more = in_.has_name("varargs", from);
    made.takes_named = in_.has_name("kwargs", from);
    loops_ = around;
  }

  ExpressionParser in_;
  std::string last_;  ///< the word that ended a block
  int depth_ = 0, loops_ = 0;
};

}  // namespace

Block parse(std::string_view source) {
  const auto tokens = tokenize(source);
  return Parser(tokens).whole();
}

}  // namespace penstock::gemma::jinja
