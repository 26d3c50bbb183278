#include "gemma/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
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
    const std::string word = in_.peek().text;
    if (word == "if") {
      conditional(start(out, StatementKind::kIf));
    } else if (word == "for") {
      loop(start(out, StatementKind::kFor));
    } else if (word == "set") {
      assignment(start(out, StatementKind::kSet));
    } else if (word == "macro") {
      macro(start(out, StatementKind::kMacro));
    } else if (word == "generation") {
      // Marks an answer for training: nothing here.
      Statement& made = start(out, StatementKind::kBlock);
      end_tag();
      made.body = block({"endgeneration"});
      end_tag();
    } else if (word == "break" || word == "continue") {
      if (loops_ == 0) in_.fail("a loop around it");
      start(out,
            word == "break" ? StatementKind::kBreak : StatementKind::kContinue);
      end_tag();
    } else {
      in_.fail("if, for, set, macro, generation, break or continue");
    }
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

  void loop(Statement& made) {
    do {
      made.names.push_back(in_.name());
    } while (in_.skip(TokenKind::kOperator, ","));
    in_.expect(TokenKind::kName, "in");
    made.value = in_.either();
    if (in_.skip(TokenKind::kName, "if")) made.condition = in_.expression();
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
    do {
      made.names.push_back(in_.name());
    } while (in_.skip(TokenKind::kOperator, ","));
    if (in_.skip(TokenKind::kOperator, ".")) {
      made.target = std::make_unique<Expression>();
      made.target->kind = ExpressionKind::kName;
      made.target->line = made.line;
      made.target->word = made.names[0];
      made.word = in_.name();
    }
    if (in_.skip(TokenKind::kOperator, "=")) {
      made.value = in_.tuple();
      end_tag();
      return;
    }
    end_tag();
    made.body = block({"endset"});
    end_tag();
  }

  void macro(Statement& made) {
    made.word = in_.name();
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
    end_tag();
    const int around = std::exchange(loops_, 0);
    made.body = block({"endmacro"});
    loops_ = around;
    end_tag();
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
