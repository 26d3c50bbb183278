// Expressions.
#include <algorithm>
#include <array>
#include <utility>

#include "gemma/jinja/interpreter.h"
#include "gemma/jinja/lexer.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

std::size_t size_of(const Value& value) {
  if (const auto* text = value.as<Text>()) return text->size();
  const auto* list = value.list();
  return list == nullptr ? 0 : list->size() * sizeof(Value);
}

/// Python's slice: where it begins and ends among `size`, by `step`.
std::vector<std::size_t> places(std::int64_t size, const Value* from,
                                const Value* to, std::int64_t step) {
  const auto place = [&](const Value* given, std::int64_t fallback) {
    if (given == nullptr || given->is_none()) return fallback;
    if (!is_whole(*given)) {
      throw Error(Code::kData,
                  str("a slice needs integers, not ", kind(*given)));
    }
    const std::int64_t value = whole(*given);
    const std::int64_t at = value < 0 ? value + size : value;
    return step > 0 ? std::clamp<std::int64_t>(at, 0, size)
                    : std::clamp<std::int64_t>(at, -1, size - 1);
  };
  const std::int64_t begin = place(from, step > 0 ? 0 : size - 1);
  const std::int64_t end = place(to, step > 0 ? size : -1);
  step = std::clamp(step, -size - 1, size + 1);
  std::vector<std::size_t> out;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    out.push_back(static_cast<std::size_t>(i));
  }
  return out;
}

}  // namespace

Value Interpreter::name(const std::string& word) const {
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 has no views::reverse
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const Value* found = find(*scope, word)) return *found;
  }
  return Undefined{word};
}

Value Interpreter::evaluate(const Expression& expression) {
  const Depth depth(*this);
  try {
    Value out = evaluate_some(expression);
    pay(size_of(out));
    return out;
  } catch (const LineError&) {
    throw;  // the innermost expression names the line
  } catch (const Error& error) {
    fail_at(expression.line, error.text());
  }
}

// lint: long, a table of kinds
Value Interpreter::evaluate_some(const Expression& expression) {
  const auto part = [&](std::size_t i) {
    return evaluate(*expression.parts[i]);
  };
  switch (expression.kind) {
    case ExpressionKind::kLiteral:
      return expression.value;
    case ExpressionKind::kName:
      return name(expression.word);
    case ExpressionKind::kList:
    case ExpressionKind::kTuple:
      return list(expression);
    case ExpressionKind::kMap:
      return map(expression);
    case ExpressionKind::kMember:
      return attribute(part(0), expression.word);
    case ExpressionKind::kItem:
      return item(expression);
    case ExpressionKind::kSlice:
      return slice(expression);
    case ExpressionKind::kCall:
      return call(expression);
    case ExpressionKind::kFilter:
      return filtered(expression);
    case ExpressionKind::kTest: {
      const Value on = part(0);
      return test(expression.word, on, arguments(expression));
    }
    case ExpressionKind::kNot:
      return !is_true(part(0));
    case ExpressionKind::kNegative:
      return operate("-", std::int64_t{0}, part(0));
    case ExpressionKind::kPositive:
      return operate("+", std::int64_t{0}, part(0));
    case ExpressionKind::kBinary:
      return binary(expression);
    case ExpressionKind::kComparison:
      return comparison(expression);
    case ExpressionKind::kConditional:
      if (is_true(part(1))) return part(0);
      return expression.parts[2] ? part(2) : Value();
  }
  return {};
}

Value Interpreter::filtered(const Expression& expression) {
  const Value on =
      expression.parts[0] ? evaluate(*expression.parts[0]) : block_;
  return filter(expression.word, on, arguments(expression));
}

Value Interpreter::list(const Expression& expression) {
  List out;
  for (const auto& part : expression.parts) out.push_back(evaluate(*part));
  return make_list(std::move(out), expression.kind == ExpressionKind::kTuple
                                       ? ListKind::kTuple
                                       : ListKind::kList);
}

Value Interpreter::map(const Expression& expression) {
  Dict out;
  for (std::size_t i = 0; i + 1 < expression.parts.size(); i += 2) {
    const Value key = evaluate(*expression.parts[i]);
    put(out, key, evaluate(*expression.parts[i + 1]));
  }
  return make_map(std::move(out));
}

/// A member, or, as jinja2 looks, what the attribute of that name is.
Value Interpreter::item(const Expression& expression) {
  const Value of = evaluate(*expression.parts[0]);
  const Value key = evaluate(*expression.parts[1]);
  Value found = member(of, key);
  const auto* word = key.as<Text>();
  if (!found.is_undefined() || word == nullptr) return found;
  return method(of, word->bytes());
}

Value Interpreter::slice(const Expression& expression) {
  const Value of = evaluate(*expression.parts[0]);
  std::array<Value, 3> bounds;
  std::array<const Value*, 3> given{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!expression.parts[i + 1]) continue;
    bounds.at(i) = evaluate(*expression.parts[i + 1]);
    given.at(i) = &bounds.at(i);
  }
  const bool has_step = given[2] != nullptr && !given[2]->is_none();
  if (has_step && !is_whole(*given[2])) {
    throw Error(Code::kData,
                str("a slice needs integers, not ", kind(*given[2])));
  }
  const std::int64_t step = has_step ? whole(*given[2]) : 1;
  if (step == 0) throw Error(Code::kData, "a slice's step is 0");
  if (of.map() != nullptr) return Undefined{"a slice of a map"};
  const List items = items_of(of);
  List out;
  for (const std::size_t at :
       places(std::ssize(items), given[0], given[1], step)) {
    out.push_back(items[at]);
  }
  if (const auto* list = of.as<Listing>()) {
    return make_list(std::move(out), list->kind);
  }
  if (of.as<Text>() == nullptr) return make_list(std::move(out));
  Text text;
  for (const Value& character : out) text += *character.as<Text>();
  return text;
}

Arguments Interpreter::arguments(const Expression& expression) {
  Arguments out;
  for (std::size_t i = 1; i < expression.parts.size(); ++i) {
    out.plain.push_back(evaluate(*expression.parts[i]));
  }
  for (const auto& [key, value] : expression.named) {
    out.named.emplace_back(key, evaluate(*value));
  }
  if (expression.more_parts) {
    for (Value& more : items_of(evaluate(*expression.more_parts))) {
      out.plain.push_back(std::move(more));
    }
  }
  if (expression.more_named) {
    const Value more = evaluate(*expression.more_named);
    if (more.map() == nullptr) {
      throw Error(Code::kData, str("'**' needs a map, not ", kind(more)));
    }
    for (const auto& [key, value] : *more.map()) {
      out.named.emplace_back(to_text(key).bytes(), value);
    }
  }
  return out;
}

Value Interpreter::call(const Expression& expression) {
  const Value callee = evaluate(*expression.parts[0]);
  return call(callee, arguments(expression));
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  if (const auto* function = callee.as<std::shared_ptr<const Function>>()) {
    return (**function)(arguments);
  }
  const auto* mapping = callee.as<Mapping>();
  if (mapping != nullptr && mapping->call != nullptr) {
    return (*mapping->call)(arguments);
  }
  const auto* nothing = callee.as<Undefined>();
  throw Error(Code::kData,
              nothing != nullptr
                  ? str("there is no function or method '", nothing->name, "'")
                  : str(kind(callee), " cannot be called"));
}

Value Interpreter::binary(const Expression& expression) {
  Value left = evaluate(*expression.parts[0]);
  if (expression.word == "and" || expression.word == "or") {
    if (is_true(left) == (expression.word == "or")) return left;
    return evaluate(*expression.parts[1]);
  }
  return operate(expression.word, left, evaluate(*expression.parts[1]));
}

/// `a < b < c`: each is looked at once, and only while all before it held.
Value Interpreter::comparison(const Expression& expression) {
  Value left = evaluate(*expression.parts[0]);
  for (std::size_t i = 0; i < expression.words.size(); ++i) {
    Value right = evaluate(*expression.parts[i + 1]);
    if (!is_true(operate(expression.words[i], left, right))) return false;
    left = std::move(right);
  }
  return true;
}

}  // namespace penstock::gemma::jinja
