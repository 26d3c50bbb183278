// Expressions of a template, by jinja2's grammar.
#pragma once

#include <string>
#include <vector>

#include "gemma/jinja/lexer.h"
#include "gemma/jinja/syntax.h"

namespace penstock::gemma::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(const std::vector<Token>& tokens)
      : tokens_(tokens) {}

  [[nodiscard]] ExpressionPtr expression();
  /// Without `a if b`, for the list of a loop.
  [[nodiscard]] ExpressionPtr either();
  /// One or several with commas between: those are a list.
  [[nodiscard]] ExpressionPtr tuple();
  /// The list of a loop: either() or several of them.
  [[nodiscard]] ExpressionPtr loop_list();
  /// `name(...) | name(...)` of {% filter %}.
  [[nodiscard]] ExpressionPtr block_filters();
  /// `| name(...)` again and again, on `on`; null: on a block.
  [[nodiscard]] ExpressionPtr filters(ExpressionPtr on);

  [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
  Token next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  [[nodiscard]] bool is(TokenKind kind, const char* text = nullptr) const {
    return peek().kind == kind && (text == nullptr || peek().text == text);
  }
  [[nodiscard]] bool is_operator(const char* text) const {
    return is(TokenKind::kOperator, text);
  }
  [[nodiscard]] bool is_name(const char* text) const {
    return is(TokenKind::kName, text);
  }
  /// Takes it where it is next.
  bool skip(TokenKind kind, const char* text);
  void expect(TokenKind kind, const char* text);
  [[nodiscard]] std::string name();
  [[nodiscard]] std::size_t at() const { return at_; }
  /// Whether the name stands anywhere since `from`.
  [[nodiscard]] bool has_name(const char* word, std::size_t from) const;
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  class Deeper;
  [[nodiscard]] ExpressionPtr make(ExpressionKind kind) const;
  [[nodiscard]] ExpressionPtr filter(ExpressionPtr on);
  [[nodiscard]] ExpressionPtr binary(ExpressionPtr left, std::string word,
                                     ExpressionPtr right) const;
  template <class Parse>
  [[nodiscard]] ExpressionPtr several(Parse&& parse);
  [[nodiscard]] ExpressionPtr both();
  [[nodiscard]] ExpressionPtr negation();
  [[nodiscard]] ExpressionPtr comparison();
  [[nodiscard]] ExpressionPtr level(std::size_t strength);
  [[nodiscard]] ExpressionPtr unary(bool has_filters);
  [[nodiscard]] ExpressionPtr primary();
  [[nodiscard]] ExpressionPtr literal();
  [[nodiscard]] ExpressionPtr map_literal();
  [[nodiscard]] ExpressionPtr postfix(ExpressionPtr on);
  [[nodiscard]] ExpressionPtr subscript(ExpressionPtr on);
  [[nodiscard]] ExpressionPtr test(ExpressionPtr on);
  void arguments(Expression& call);

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace penstock::gemma::jinja
