// Runs the statements of a template.
#pragma once

#include <ctime>

#include "gemma/jinja/builtins.h"
#include "gemma/jinja/syntax.h"
#include "gemma/jinja/template.h"

namespace penstock::gemma::jinja {

class Interpreter {
 public:
  Interpreter(const Limits& limits, std::time_t now)
      : limits_(limits), now_(now) {}

  [[nodiscard]] Text run(const Block& block, Map variables);

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  class Depth;
  class Scopes;

  // Statements: interpreter.cpp.
  Flow run(const Block& block, Text& out);
  Flow run(const Statement& statement, Text& out);
  Flow with(const Statement& statement, Text& out);
  [[nodiscard]] Text inside(const Block& block);
  void assign(const Statement& statement);
  void bind(const Target& target, const Value& value);
  void bind_attribute(const Target& target, const Value& value);

  // Loops and macros: calls.cpp.
  Flow loop(const Statement& statement, Text& out);
  Flow loop(const Statement& statement, List items, std::int64_t depth,
            Text& out);
  [[nodiscard]] List kept(const Statement& statement, List items);
  [[nodiscard]] Value loop_state(const Statement& statement, const List& items,
                                 std::size_t at, std::int64_t depth,
                                 std::shared_ptr<List> last);
  void make_callable(const Statement& statement, std::int64_t depth,
                     Value& state);
  [[nodiscard]] Value macro(const Statement& statement);
  [[nodiscard]] Value call_macro(const Statement& statement,
                                 const Arguments& given);
  void bind_arguments(const Statement& statement, const Arguments& given);
  void bind_named(const Statement& statement, const Arguments& given,
                  const std::string& what);
  void call_of(const Statement& statement, Text& out);

  // Expressions: evaluate.cpp.
  [[nodiscard]] Value evaluate(const Expression& expression);
  [[nodiscard]] Value evaluate_some(const Expression& expression);
  [[nodiscard]] Value name(const std::string& word) const;
  [[nodiscard]] Value item(const Expression& expression);
  [[nodiscard]] Value slice(const Expression& expression);
  [[nodiscard]] Value call(const Expression& expression);
  [[nodiscard]] Value call(const Value& callee, const Arguments& arguments);
  [[nodiscard]] Value binary(const Expression& expression);
  [[nodiscard]] Value comparison(const Expression& expression);
  [[nodiscard]] Value filtered(const Expression& expression);
  [[nodiscard]] Value list(const Expression& expression);
  [[nodiscard]] Value map(const Expression& expression);
  [[nodiscard]] Arguments arguments(const Expression& expression);
  void set(const std::string& word, Value value);
  void pay(std::size_t bytes);

  const Limits limits_;
  const std::time_t now_;
  std::vector<Map> scopes_;
  Value block_;  ///< what the filters of a block get
  std::int64_t steps_ = 0;
  int depth_ = 0;
};

/// Calls of macros, loops and expressions in each other are counted: deeper
/// ones would overflow the stack.
class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& of);
  ~Depth() { --of_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Interpreter& of_;
};

/// Other variables for a while.
class Interpreter::Scopes {
 public:
  Scopes(Interpreter& of, std::vector<Map> scopes)
      : of_(of), around_(std::move(scopes)) {
    around_.swap(of_.scopes_);
  }
  ~Scopes() { around_.swap(of_.scopes_); }
  Scopes(const Scopes&) = delete;
  Scopes& operator=(const Scopes&) = delete;

 private:
  Interpreter& of_;
  std::vector<Map> around_;
};

}  // namespace penstock::gemma::jinja
