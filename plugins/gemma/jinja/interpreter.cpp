// Statements.
#include "gemma/jinja/interpreter.h"

#include <algorithm>
#include <utility>

#include "gemma/jinja/lexer.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr int kMostDepth = 400;
constexpr std::int64_t kBytesAStep = 64;

}  // namespace

Interpreter::Depth::Depth(Interpreter& of) : of_(of) {
  if (++of_.depth_ > kMostDepth) {
    --of_.depth_;
    throw Error(Code::kData, "it calls itself too deeply");
  }
}

Text Interpreter::run(const Block& block, Map variables) {
  add_functions(variables, now_);
  scopes_ = {std::move(variables), Map()};
  Text out;
  (void)run(block, out);
  return out;
}

void Interpreter::pay(std::size_t bytes) {
  if (bytes > limits_.output) {
    throw Error(Code::kData, str("a text or list became larger than ",
                                 limits_.output, " bytes"));
  }
  steps_ += 1 + static_cast<std::int64_t>(bytes) / kBytesAStep;
  if (steps_ > limits_.steps) {
    throw Error(Code::kData,
                str("it runs longer than ", limits_.steps, " steps"));
  }
}

Interpreter::Flow Interpreter::run(const Block& block, Text& out) {
  for (const Statement& statement : block) {
    const Flow flow = run(statement, out);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

// lint: long, a table of kinds
Interpreter::Flow Interpreter::run(const Statement& statement, Text& out) {
  const Depth depth(*this);
  pay(0);
  switch (statement.kind) {
    case StatementKind::kText:
      out += Text(statement.text);
      break;
    case StatementKind::kOutput:
      out += to_text(evaluate(*statement.value));
      break;
    case StatementKind::kIf: {
      const bool is = is_true(evaluate(*statement.value));
      return run(is ? statement.body : statement.otherwise, out);
    }
    case StatementKind::kFor:
      return loop(statement, out);
    case StatementKind::kSet:
      assign(statement);
      break;
    case StatementKind::kMacro:
      set(statement.word, macro(statement));
      break;
    case StatementKind::kCallOf:
      call_of(statement, out);
      break;
    case StatementKind::kFilter:
      block_ = inside(statement.body);
      out += to_text(evaluate(*statement.value));
      break;
    case StatementKind::kWith:
      return with(statement, out);
    case StatementKind::kBlock:
      return run(statement.body, out);
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
  }
  if (out.size() > limits_.output) pay(out.size());
  return Flow::kNormal;
}

/// What a block writes, with variables of its own.
Text Interpreter::inside(const Block& block) {
  Text out;
  scopes_.emplace_back();
  (void)run(block, out);
  scopes_.pop_back();
  return out;
}

Interpreter::Flow Interpreter::with(const Statement& statement, Text& out) {
  List values;
  for (const auto& value : statement.defaults) {
    values.push_back(evaluate(*value));
  }
  scopes_.emplace_back();
  for (std::size_t i = 0; i < values.size(); ++i) {
    set(statement.names[i], std::move(values[i]));
  }
  const Flow flow = run(statement.body, out);
  scopes_.pop_back();
  return flow;
}

void Interpreter::set(const std::string& word, Value value) {
  for (auto& [key, held] : scopes_.back()) {
    if (key == word) {
      held = std::move(value);
      return;
    }
  }
  scopes_.back().emplace_back(word, std::move(value));
}

void Interpreter::bind(const Target& target, const Value& value) {
  if (!target.attribute.empty()) return bind_attribute(target, value);
  if (target.parts.empty()) return set(target.word, value);
  const List items = items_of(value);
  if (items.size() != target.parts.size()) {
    throw Error(Code::kData, str(items.size(), " values for ",
                                 target.parts.size(), " names"));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    bind(target.parts[i], items[i]);
  }
}

void Interpreter::bind_attribute(const Target& target, const Value& value) {
  const Value of = name(target.word);
  const auto* mapping = of.as<Mapping>();
  if (mapping == nullptr || !mapping->is_namespace) {
    throw Error(Code::kData, str("'", target.word, "' is no namespace"));
  }
  put(*mapping->map, text(target.attribute), value);
}

void Interpreter::assign(const Statement& statement) {
  Value value;
  if (statement.value) {
    value = evaluate(*statement.value);
  } else {
    value = inside(statement.body);
    if (statement.condition) {
      block_ = value;
      value = evaluate(*statement.condition);
    }
  }
  try {
    bind(statement.target, value);
  } catch (const Error& error) {
    fail_at(statement.line, error.text());
  }
}

}  // namespace penstock::gemma::jinja
