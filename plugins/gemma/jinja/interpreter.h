// Runs the statements of a template.
#pragma once

#include <ctime>

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

  Flow run(const Block& block, Text& out);
  Flow run(const Statement& statement, Text& out);
  Flow loop(const Statement& statement, Text& out);
  void assign(const Statement& statement);
  void bind(const std::vector<std::string>& names, const Value& value);
  [[nodiscard]] Value macro(const Statement& statement);
  [[nodiscard]] Value call_macro(const Statement& statement,
                                 const Arguments& given);

  [[nodiscard]] Value evaluate(const Expression& expression);
  [[nodiscard]] Value evaluate_some(const Expression& expression);
  [[nodiscard]] Value name(const std::string& word) const;
  [[nodiscard]] Value item(const Expression& expression);
  [[nodiscard]] Value slice(const Expression& expression);
  [[nodiscard]] Value call(const Expression& expression);
  [[nodiscard]] Value binary(const Expression& expression);
  [[nodiscard]] Value list(const Expression& expression);
  [[nodiscard]] Value map(const Expression& expression);
  [[nodiscard]] Arguments arguments(const Expression& expression);
  void add_functions(Map& to) const;
  void set(const std::string& word, Value value);
  void pay(std::size_t bytes);

  const Limits limits_;
  const std::time_t now_;
  std::vector<Map> scopes_;
  std::int64_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace penstock::gemma::jinja
