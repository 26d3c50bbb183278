#include "gemma/jinja/interpreter.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "gemma/jinja/builtins.h"
#include "gemma/jinja/lexer.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr int kMostDepth = 400;
constexpr std::int64_t kMostRange = 100'000;
constexpr std::int64_t kMostNumber = std::int64_t{1} << 60;
constexpr std::int64_t kBytesAStep = 64;

std::size_t size_of(const Value& value) {
  if (const auto* text = value.as<Text>()) return text->size();
  const auto* list = value.list();
  return list == nullptr ? 0 : list->size() * sizeof(Value);
}

Value range(const Arguments& arguments) {
  std::int64_t from = integer(arguments, 0, "start", 0);
  std::int64_t to = integer(arguments, 1, "stop", 0);
  const std::int64_t step = integer(arguments, 2, "step", 1);
  if (arguments.plain.size() == 1) to = std::exchange(from, 0);
  if (step == 0) throw Error(Code::kData, "range: the step is 0");
  for (const std::int64_t each : {from, to, step}) {
    if (std::abs(each) > kMostNumber) {
      throw Error(Code::kData, "range: a number is too large");
    }
  }
  List out;
  for (std::int64_t i = from; step > 0 ? i < to : i > to; i += step) {
    if (std::ssize(out) == kMostRange) {
      throw Error(Code::kData,
                  str("range: more than ", kMostRange, " numbers"));
    }
    out.emplace_back(i);
  }
  return make_list(std::move(out));
}

Value raise(const Arguments& arguments) {
  const Value* why = argument(arguments, 0, "message");
  throw Error(Code::kData, str("the template says: ",
                               why == nullptr ? "" : to_text(*why).bytes()));
}

Value named_map(const Arguments& arguments, bool is_namespace) {
  Map members;
  if (!arguments.plain.empty() && arguments.plain[0].map() != nullptr) {
    members = *arguments.plain[0].map();
  }
  for (const auto& [key, value] : arguments.named) {
    members.emplace_back(key, value);
  }
  return Mapping{.map = std::make_shared<Map>(std::move(members)),
                 .is_namespace = is_namespace};
}

Value time_text(std::time_t now, const Arguments& arguments) {
  const Value* format = argument(arguments, 0, "format");
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 512> out{};
  const std::string given = format == nullptr ? "" : to_text(*format).bytes();
  const auto size =
      std::strftime(out.data(), out.size(), given.c_str(), &parts);
  return text(std::string(out.data(), size));
}

/// Python's slice: where it begins and ends among `size`, by `step`.
std::vector<std::size_t> places(std::int64_t size, const Value* from,
                                const Value* to, std::int64_t step) {
  const auto place = [&](const Value* given, std::int64_t fallback) {
    if (given == nullptr || given->is_none()) return fallback;
    const auto* value = given->as<std::int64_t>();
    if (value == nullptr) {
      throw Error(Code::kData,
                  str("a slice needs integers, not ", kind(*given)));
    }
    const std::int64_t at = *value < 0 ? *value + size : *value;
    return step > 0 ? std::clamp<std::int64_t>(at, 0, size)
                    : std::clamp<std::int64_t>(at, -1, size - 1);
  };
  const std::int64_t begin = place(from, step > 0 ? 0 : size - 1);
  const std::int64_t end = place(to, step > 0 ? size : -1);
  std::vector<std::size_t> out;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    out.push_back(static_cast<std::size_t>(i));
  }
  return out;
}

}  // namespace

class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& of) : of_(of) {
    if (++of_.depth_ > kMostDepth) {
      --of_.depth_;
      throw Error(Code::kData, "it calls itself too deeply");
    }
  }
  ~Depth() { --of_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Interpreter& of_;
};

Text Interpreter::run(const Block& block, Map variables) {
  add_functions(variables);
  scopes_ = {std::move(variables), Map()};
  Text out;
  (void)run(block, out);
  return out;
}

void Interpreter::add_functions(Map& to) const {
  to.emplace_back("range", make_function(range));
  to.emplace_back("raise_exception", make_function(raise));
  to.emplace_back("namespace", make_function([](const Arguments& a) {
                    return named_map(a, true);
                  }));
  to.emplace_back("dict", make_function([](const Arguments& a) {
                    return named_map(a, false);
                  }));
  to.emplace_back("strftime_now",
                  make_function([now = now_](const Arguments& a) {
                    return time_text(now, a);
                  }));
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

Interpreter::Flow Interpreter::loop(const Statement& statement, Text& out) {
  List items = items_of(evaluate(*statement.value));
  pay(items.size() * sizeof(Value));
  if (statement.condition) {
    List kept;
    for (Value& item : items) {
      scopes_.emplace_back();
      bind(statement.names, item);
      if (is_true(evaluate(*statement.condition))) {
        kept.push_back(std::move(item));
      }
      scopes_.pop_back();
    }
    items = std::move(kept);
  }
  if (items.empty()) return run(statement.otherwise, out);
  const auto count = std::ssize(items);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    Map state{{"index", i + 1},        {"index0", i},
              {"revindex", count - i}, {"revindex0", count - i - 1},
              {"first", i == 0},       {"last", i + 1 == count},
              {"length", count}};
    if (i > 0) state.emplace_back("previtem", items[at - 1]);
    if (i + 1 < count) state.emplace_back("nextitem", items[at + 1]);
    state.emplace_back(
        "cycle", make_function([i](const Arguments& a) {
          if (a.plain.empty()) return Value();
          return a.plain[static_cast<std::size_t>(i) % a.plain.size()];
        }));
    scopes_.emplace_back();
    bind(statement.names, items[at]);
    set("loop", make_map(std::move(state)));
    const Flow flow = run(statement.body, out);
    scopes_.pop_back();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNormal;
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

void Interpreter::bind(const std::vector<std::string>& names,
                       const Value& value) {
  if (names.size() == 1) {
    set(names[0], value);
    return;
  }
  const List items = items_of(value);
  if (items.size() != names.size()) {
    throw Error(Code::kData,
                str(items.size(), " values for ", names.size(), " names"));
  }
  for (std::size_t i = 0; i < names.size(); ++i) set(names[i], items[i]);
}

void Interpreter::assign(const Statement& statement) {
  Value value;
  if (statement.value) {
    value = evaluate(*statement.value);
  } else {
    Text inner;
    scopes_.emplace_back();
    (void)run(statement.body, inner);
    scopes_.pop_back();
    value = std::move(inner);
  }
  if (!statement.target) {
    bind(statement.names, value);
    return;
  }
  const Value target = name(statement.target->word);
  const auto* mapping = target.as<Mapping>();
  if (mapping == nullptr || !mapping->is_namespace) {
    fail_at(statement.line,
            str("'", statement.target->word, "' is no namespace"));
  }
  for (auto& [key, held] : *mapping->map) {
    if (key == statement.word) {
      held = std::move(value);
      return;
    }
  }
  mapping->map->emplace_back(statement.word, std::move(value));
}

Value Interpreter::macro(const Statement& statement) {
  return make_function([this, &statement](const Arguments& given) {
    return call_macro(statement, given);
  });
}

Value Interpreter::call_macro(const Statement& statement,
                              const Arguments& given) {
  const Depth depth(*this);
  const auto count = statement.names.size();
  if (given.plain.size() > count) {
    throw Error(Code::kData, str("macro ", statement.word, " takes ", count,
                                 " arguments, not ", given.plain.size()));
  }
  // A macro sees what stands at the top of the template, and its arguments.
  std::vector<Map> around;
  around.swap(scopes_);
  scopes_ = {around[0], around[1], Map()};
  Text out;
  try {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& word = statement.names[i];
      const Value* value = argument(given, i, word);
      const auto first_default = count - statement.defaults.size();
      if (value != nullptr) {
        set(word, *value);
      } else if (i >= first_default) {
        set(word, evaluate(*statement.defaults[i - first_default]));
      } else {
        set(word, Undefined{word});
      }
    }
    (void)run(statement.body, out);
  } catch (...) {
    scopes_.swap(around);
    throw;
  }
  scopes_.swap(around);
  return out;
}

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

Value Interpreter::evaluate_some(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kLiteral:
      return expression.value;
    case ExpressionKind::kName:
      return name(expression.word);
    case ExpressionKind::kList:
      return list(expression);
    case ExpressionKind::kMap:
      return map(expression);
    case ExpressionKind::kMember: {
      const Value of = evaluate(*expression.parts[0]);
      Value found = method(of, expression.word);
      return found.is_undefined() ? member(of, expression.word)
                                  : std::move(found);
    }
    case ExpressionKind::kItem:
      return item(expression);
    case ExpressionKind::kSlice:
      return slice(expression);
    case ExpressionKind::kCall:
      return call(expression);
    case ExpressionKind::kFilter: {
      const Value on = evaluate(*expression.parts[0]);
      return filter(expression.word, on, arguments(expression));
    }
    case ExpressionKind::kTest: {
      const Value on = evaluate(*expression.parts[0]);
      return test(expression.word, on, arguments(expression));
    }
    case ExpressionKind::kNot:
      return !is_true(evaluate(*expression.parts[0]));
    case ExpressionKind::kNegative:
      return operate("-", std::int64_t{0}, evaluate(*expression.parts[0]));
    case ExpressionKind::kBinary:
      return binary(expression);
    case ExpressionKind::kConditional:
      if (is_true(evaluate(*expression.parts[1]))) {
        return evaluate(*expression.parts[0]);
      }
      return expression.parts[2] ? evaluate(*expression.parts[2]) : Value();
  }
  return {};
}

Value Interpreter::list(const Expression& expression) {
  List out;
  for (const auto& part : expression.parts) out.push_back(evaluate(*part));
  return make_list(std::move(out));
}

Value Interpreter::map(const Expression& expression) {
  Map out;
  for (std::size_t i = 0; i + 1 < expression.parts.size(); i += 2) {
    const std::string key = to_text(evaluate(*expression.parts[i])).bytes();
    std::erase_if(out, [&](const auto& member) { return member.first == key; });
    out.emplace_back(key, evaluate(*expression.parts[i + 1]));
  }
  return make_map(std::move(out));
}

Value Interpreter::item(const Expression& expression) {
  const Value of = evaluate(*expression.parts[0]);
  const Value key = evaluate(*expression.parts[1]);
  if (const auto* word = key.as<Text>()) return member(of, word->bytes());
  const auto* index = key.as<std::int64_t>();
  if (index == nullptr || of.is_undefined()) return member(of, kind(key));
  const List items = of.map() == nullptr ? items_of(of) : List();
  const std::int64_t at = *index < 0 ? *index + std::ssize(items) : *index;
  if (at < 0 || at >= std::ssize(items)) {
    return Undefined{str("item ", *index)};
  }
  return items[static_cast<std::size_t>(at)];
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
  const auto* by = given[2] == nullptr ? nullptr : given[2]->as<std::int64_t>();
  const std::int64_t step = by == nullptr ? 1 : *by;
  if (step == 0) throw Error(Code::kData, "a slice's step is 0");
  const List items = items_of(of);
  List out;
  for (const std::size_t at :
       places(std::ssize(items), given[0], given[1], step)) {
    out.push_back(items[at]);
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
  return out;
}

Value Interpreter::call(const Expression& expression) {
  const Value callee = evaluate(*expression.parts[0]);
  const auto* found = callee.as<std::shared_ptr<const Function>>();
  if (found == nullptr) {
    const auto* nothing = callee.as<Undefined>();
    throw Error(Code::kData, nothing != nullptr
                                 ? str("there is no function or method '",
                                       nothing->name, "'")
                                 : str(kind(callee), " cannot be called"));
  }
  return (**found)(arguments(expression));
}

Value Interpreter::binary(const Expression& expression) {
  Value left = evaluate(*expression.parts[0]);
  if (expression.word == "and" || expression.word == "or") {
    if (is_true(left) == (expression.word == "or")) return left;
    return evaluate(*expression.parts[1]);
  }
  return operate(expression.word, left, evaluate(*expression.parts[1]));
}

}  // namespace penstock::gemma::jinja
