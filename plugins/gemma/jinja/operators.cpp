// Operators between two values, with Python's rules.
#include <cmath>
#include <limits>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

/// Texts and lists made by repeating are no larger.
constexpr std::size_t kMostRepeated = std::size_t{1} << 20U;

[[noreturn]] void refuse(const std::string& word, const Value& a,
                         const Value& b) {
  throw Error(Code::kData,
              str("cannot compute ", kind(a), " ", word, " ", kind(b)));
}

[[noreturn]] void too_large() {
  throw Error(Code::kData, "a number became too large");
}

Value integers(const std::string& word, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool is_over = false;
  if (word == "+") {
    is_over = __builtin_add_overflow(a, b, &out);
  } else if (word == "-") {
    is_over = __builtin_sub_overflow(a, b, &out);
  } else if (word == "*") {
    is_over = __builtin_mul_overflow(a, b, &out);
  } else {
    if (b == 0) throw Error(Code::kData, "a division by 0");
    if (a == std::numeric_limits<std::int64_t>::min() && b == -1) too_large();
    // Python rounds down.
    const bool is_down = a % b != 0 && (a < 0) != (b < 0);
    out = word == "//" ? a / b - static_cast<std::int64_t>(is_down)
                       : a % b + (is_down ? b : 0);
  }
  if (is_over) too_large();
  return out;
}

Value power(const Value& a, const Value& b) {
  const bool is_integer = is_whole(a) && is_whole(b) && whole(b) >= 0;
  if (!is_integer) return std::pow(number(a), number(b));
  const std::int64_t base = whole(a);
  if (base >= -1 && base <= 1) {  // whatever the power
    return base == 0           ? std::int64_t{whole(b) == 0}
           : whole(b) % 2 == 0 ? std::int64_t{1}
                               : base;
  }
  std::int64_t out = 1;
  for (std::int64_t i = 0; i < whole(b); ++i) {
    if (__builtin_mul_overflow(out, base, &out)) too_large();
  }
  return out;
}

Value numbers(const std::string& word, const Value& a, const Value& b) {
  if (word == "**") return power(a, b);
  if (word != "/" && is_whole(a) && is_whole(b)) {
    return integers(word, whole(a), whole(b));
  }
  const double x = number(a);
  const double y = number(b);
  if (word == "+") return x + y;
  if (word == "-") return x - y;
  if (word == "*") return x * y;
  if (y == 0) throw Error(Code::kData, "a division by 0");
  if (word == "/") return x / y;
  // As Python: the rest has the sign of what is divided by.
  double rest = std::fmod(x, y);
  if (rest != 0 && (rest < 0) != (y < 0)) rest += y;
  if (word == "%") return rest == 0 ? std::copysign(0.0, y) : rest;
  return std::round((x - rest) / y);
}

Value repeated(const Value& value, std::int64_t times) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, times));
  const auto size = static_cast<std::size_t>(length_of(value));
  if (size > 0 && count > kMostRepeated / size) {
    throw Error(Code::kData, "a text or list became too large");
  }
  if (const auto* text = value.as<Text>()) {
    Text out;
    for (std::size_t i = 0; i < count; ++i) out += *text;
    return out;
  }
  List out;
  for (std::size_t i = 0; i < count; ++i) {
    out.insert(out.end(), value.list()->begin(), value.list()->end());
  }
  return make_list(std::move(out), value.as<Listing>()->kind);
}

bool can_repeat(const Value& value) {
  return value.as<Text>() != nullptr || value.list() != nullptr;
}

}  // namespace

Value operate(const std::string& word, const Value& a, const Value& b) {
  if (word == "==") return equal(a, b);
  if (word == "!=") return !equal(a, b);
  if (word == "<") return compare(a, b) < 0;
  if (word == ">") return compare(a, b) > 0;
  if (word == "<=") return compare(a, b) <= 0;
  if (word == ">=") return compare(a, b) >= 0;
  if (word == "in") return contains(b, a);
  if (word == "not in") return !contains(b, a);
  if (word == "~") {
    Text out = to_text(a);
    return out += to_text(b);
  }
  if (is_number(a) && is_number(b)) return numbers(word, a, b);
  if (word == "+" && a.as<Text>() != nullptr && b.as<Text>() != nullptr) {
    Text out = *a.as<Text>();
    return out += *b.as<Text>();
  }
  if (word == "+" && a.list() != nullptr && b.list() != nullptr &&
      kind(a) == kind(b)) {
    List out = *a.list();
    out.insert(out.end(), b.list()->begin(), b.list()->end());
    return make_list(std::move(out), a.as<Listing>()->kind);
  }
  if (word == "%" && a.as<Text>() != nullptr) return percent(*a.as<Text>(), b);
  if (word == "*" && can_repeat(a) && is_whole(b)) {
    return repeated(a, whole(b));
  }
  if (word == "*" && can_repeat(b) && is_whole(a)) {
    return repeated(b, whole(a));
  }
  if (const auto* nothing = a.as<Undefined>()) {
    throw Error(Code::kData, str("'", nothing->name, "' is undefined"));
  }
  if (const auto* nothing = b.as<Undefined>()) {
    throw Error(Code::kData, str("'", nothing->name, "' is undefined"));
  }
  refuse(word, a, b);
}

}  // namespace penstock::gemma::jinja
