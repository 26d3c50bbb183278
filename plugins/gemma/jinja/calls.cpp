// Loops, and what a template defines to be called.
#include <algorithm>
#include <utility>

#include "gemma/jinja/interpreter.h"
#include "gemma/jinja/lexer.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {

Interpreter::Flow Interpreter::loop(const Statement& statement, Text& out) {
  return loop(statement, items_of(evaluate(*statement.value)), 1, out);
}

/// Those that the loop's condition lets through.
List Interpreter::kept(const Statement& statement, List items) {
  if (!statement.condition) return items;
  List out;
  for (Value& item : items) {
    scopes_.emplace_back();
    bind(statement.target, item);
    if (is_true(evaluate(*statement.condition))) out.push_back(std::move(item));
    scopes_.pop_back();
  }
  return out;
}

Interpreter::Flow Interpreter::loop(const Statement& statement, List items,
                                    std::int64_t depth, Text& out) {
  pay(items.size() * sizeof(Value));
  items = kept(statement, std::move(items));
  if (items.empty()) return run(statement.otherwise, out);
  const auto last = std::make_shared<List>();
  for (std::size_t i = 0; i < items.size(); ++i) {
    Value state = loop_state(statement, items, i, depth, last);
    scopes_.emplace_back();
    bind(statement.target, items[i]);
    set("loop", std::move(state));
    const Flow flow = run(statement.body, out);
    scopes_.pop_back();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNormal;
}

/// `last`: what loop.changed() was called with.
Value Interpreter::loop_state(const Statement& statement, const List& items,
                              std::size_t at, std::int64_t depth,
                              std::shared_ptr<List> last) {
  const auto count = std::ssize(items);
  const auto i = static_cast<std::int64_t>(at);
  Dict state;
  const auto add = [&](const char* name, Value value) {
    state.emplace_back(text(name), std::move(value));
  };
  add("index", i + 1);
  add("index0", i);
  add("revindex", count - i);
  add("revindex0", count - i - 1);
  add("first", i == 0);
  add("last", i + 1 == count);
  add("length", count);
  add("depth", depth);
  add("depth0", depth - 1);
  if (i > 0) add("previtem", items[at - 1]);
  if (i + 1 < count) add("nextitem", items[at + 1]);
  add("cycle", make_function([at](const Arguments& a) {
        if (a.plain.empty()) throw Error(Code::kData, "cycle needs values");
        return a.plain[at % a.plain.size()];
      }));
  add("changed", make_function([last](const Arguments& a) -> Value {
        const bool is_same =
            !last->empty() && equal(last->front(), make_list(a.plain));
        *last = {make_list(a.plain)};
        return !is_same;
      }));
  Value out = make_map(std::move(state));
  if (statement.is_recursive) make_callable(statement, depth, out);
  return out;
}

/// loop(items) of a recursive loop. It sees what stands around the loop, not
/// what is in it.
void Interpreter::make_callable(const Statement& statement, std::int64_t depth,
                                Value& state) {
  const auto around = static_cast<std::ptrdiff_t>(scopes_.size());
  auto& mapping = std::get<Mapping>(state.data);
  mapping.call = std::make_shared<const Function>(
      [this, &statement, depth, around](const Arguments& a) -> Value {
        check({{".iterable"}, 1}, "loop", a);
        const Depth deeper(*this);
        const auto seen = std::min(around, std::ssize(scopes_));
        const Scopes scopes(*this, {scopes_.begin(), scopes_.begin() + seen});
        Text inner;
        (void)loop(statement, items_of(a.plain[0]), depth + 1, inner);
        return inner;
      });
}

Value Interpreter::macro(const Statement& statement) {
  return make_function([this, &statement](const Arguments& given) {
    // It sees what stands at the top of the template, and its arguments.
    const Scopes scopes(*this, {scopes_[0], scopes_[1], Map()});
    return call_macro(statement, given);
  });
}

Value Interpreter::call_macro(const Statement& statement,
                              const Arguments& given) {
  const Depth depth(*this);
  bind_arguments(statement, given);
  Text out;
  (void)run(statement.body, out);
  return out;
}

void Interpreter::bind_arguments(const Statement& statement,
                                 const Arguments& given) {
  const auto& names = statement.names;
  const std::string what = "macro " + statement.word;
  List more;
  Dict named;
  for (std::size_t i = names.size(); i < given.plain.size(); ++i) {
    more.push_back(given.plain[i]);
  }
  Value caller;
  for (const auto& [key, value] : given.named) {
    const bool is_known =
        std::find(names.begin(), names.end(), key) != names.end();
    if (is_known) continue;
    if (key == "caller") {
      caller = value;
    } else if (statement.takes_named) {
      named.emplace_back(text(key), value);
    } else {
      throw Error(Code::kData, str(what, " has no argument '", key, "'"));
    }
  }
  if (!more.empty() && !statement.takes_more) {
    throw Error(Code::kData, str(what, " takes ", names.size(),
                                 " arguments, not ", given.plain.size()));
  }
  bind_named(statement, given, what);
  if (!caller.is_undefined()) set("caller", std::move(caller));
  if (statement.takes_more) {
    set("varargs", make_list(std::move(more), ListKind::kTuple));
  }
  if (statement.takes_named) set("kwargs", make_map(std::move(named)));
}

/// The arguments that the macro names, with their defaults.
void Interpreter::bind_named(const Statement& statement, const Arguments& given,
                             const std::string& what) {
  const auto& names = statement.names;
  const auto first_default = names.size() - statement.defaults.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Value* value = argument(given, i, names[i]);
    if (value != nullptr && i < given.plain.size() &&
        find(given.named, names[i]) != nullptr) {
      throw Error(Code::kData,
                  str(what, " has argument '", names[i], "' twice"));
    }
    if (value != nullptr) {
      set(names[i], *value);
    } else if (i >= first_default) {
      set(names[i], evaluate(*statement.defaults[i - first_default]));
    } else {
      set(names[i], Undefined{names[i]});
    }
  }
}

/// The block is a macro, `caller`, that sees the variables around it.
void Interpreter::call_of(const Statement& statement, Text& out) {
  Arguments given = arguments(*statement.value);
  const Value callee = evaluate(*statement.value->parts[0]);
  given.named.emplace_back(
      "caller",
      make_function([this, &statement, around = scopes_](const Arguments& a) {
        std::vector<Map> scopes = around;
        scopes.emplace_back();
        const Scopes changed(*this, std::move(scopes));
        return call_macro(statement, a);
      }));
  out += to_text(call(callee, given));
}

}  // namespace penstock::gemma::jinja
