// What a template means: a tree of statements and expressions.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gemma/jinja/value.h"

namespace penstock::gemma::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;
struct Statement;
using Block = std::vector<Statement>;

enum class ExpressionKind {
  kLiteral,      ///< value
  kName,         ///< word
  kList,         ///< parts
  kTuple,        ///< parts
  kMap,          ///< parts: key, value, key, value ...
  kMember,       ///< parts[0].word
  kItem,         ///< parts[0][parts[1]]
  kSlice,        ///< parts[0][parts[1]:parts[2]:parts[3]], some null
  kCall,         ///< parts[0](parts[1...], named)
  kFilter,       ///< parts[0] | word(parts[1...], named); null: of a block
  kTest,         ///< parts[0] is word(parts[1...])
  kNot,          ///< parts[0]
  kNegative,     ///< parts[0]
  kPositive,     ///< parts[0]
  kBinary,       ///< parts[0] word parts[1], word an operator
  kComparison,   ///< parts[0] words[0] parts[1] words[1] parts[2] ...
  kConditional,  ///< parts[0] if parts[1] else parts[2], which may be null
};

struct Expression {
  ExpressionKind kind = ExpressionKind::kLiteral;
  int line = 1;
  std::string word;
  Value value;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> words;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_parts, more_named;  ///< *parts, **named
};

/// What is bound: a name, an attribute of a namespace, or several of them.
struct Target {
  std::string word;
  std::string attribute;
  std::vector<Target> parts;
};

enum class StatementKind {
  kText,    ///< text
  kOutput,  ///< value
  kIf,      ///< value, body, otherwise
  kFor,     ///< target, value, condition, body, otherwise, is_recursive
  kSet,     ///< target; value, or body and a filter in condition
  kMacro,   ///< word, names, defaults, body
  kCallOf,  ///< value, a call; names, defaults, body: its caller
  kFilter,  ///< value: filters of body
  kWith,    ///< names, defaults, body
  kBlock,   ///< body, as it is
  kBreak,
  kContinue,
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 1;
  std::string text;
  std::string word;
  std::vector<std::string> names;
  Target target;
  bool is_recursive = false;
  bool takes_more = false, takes_named = false;  ///< varargs, kwargs
  ExpressionPtr value, condition;
  std::vector<ExpressionPtr> defaults;  ///< of the last names
  Block body, otherwise;
};

}  // namespace penstock::gemma::jinja
