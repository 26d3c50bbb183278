#include "penstock/params.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/quote.h"

namespace penstock {
namespace {

template <class T>
std::string number_text(T value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

/// The whole of `text` as a number; false: it is none, or too large.
template <class T>
bool read_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

std::string description(const Raw& raw) {
  if (std::holds_alternative<std::vector<RawScalar>>(raw)) return "a list";
  const auto& scalar = std::get<RawScalar>(raw);
  if (scalar.quoted) return "the quoted text " + shown(scalar.text);
  return shown(scalar.text);
}

[[noreturn]] void refuse(const ParamSpec& spec, const Raw& raw,
                         const std::string& hint = "") {
  throw Error(Code::kData, "expected " + expected(spec) + ", not " +
                               description(raw) + hint);
}

bool in_range(const ParamSpec& spec, double value) {
  return !(spec.min && value < *spec.min) && !(spec.max && value > *spec.max);
}

bool read_bool(const ParamSpec& spec, const RawScalar& raw) {
  if (raw.quoted || (raw.text != "true" && raw.text != "false")) {
    refuse(spec, raw);
  }
  return raw.text == "true";
}

std::int64_t read_integer(const ParamSpec& spec, const RawScalar& raw) {
  std::int64_t value = 0;
  if (raw.quoted || !read_number(raw.text, value) ||
      !in_range(spec, static_cast<double>(value))) {
    refuse(spec, raw);
  }
  return value;
}

double read_real(const ParamSpec& spec, const RawScalar& raw) {
  double value = 0;
  if (raw.quoted || !read_number(raw.text, value) || !std::isfinite(value) ||
      !in_range(spec, value)) {
    refuse(spec, raw);
  }
  return value;
}

std::string read_text(const ParamSpec& spec, const RawScalar& raw) {
  const auto& words = spec.choices;
  if (words.empty()) return raw.text;
  const auto alias = spec.aliases.find(raw.text);
  const std::string& word =
      alias == spec.aliases.end() ? raw.text : alias->second;
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  const auto why = spec.refusals.find(word);
  refuse(spec, raw,
         why == spec.refusals.end() ? suggestion(raw.text, words)
                                    : ": " + why->second);
}

template <class Read>
auto read_list(const ParamSpec& spec, const Raw& raw, Read read) {
  std::vector<decltype(read(spec, RawScalar{}))> values;
  if (const auto* one = std::get_if<RawScalar>(&raw)) {
    values.push_back(read(spec, *one));
    return values;
  }
  for (const auto& item : std::get<std::vector<RawScalar>>(raw)) {
    values.push_back(read(spec, item));
  }
  return values;
}

std::string bound_text(const ParamSpec& spec, double bound) {
  const bool is_whole =
      spec.type() == ParamType::kInteger || spec.type() == ParamType::kIntegers;
  return is_whole ? number_text(static_cast<std::int64_t>(bound))
                  : number_text(bound);
}

std::string range_text(const ParamSpec& spec) {
  if (spec.min && spec.max) {
    return str(" in ", bound_text(spec, *spec.min), "..",
               bound_text(spec, *spec.max));
  }
  if (spec.min) return " of at least " + bound_text(spec, *spec.min);
  if (spec.max) return " of at most " + bound_text(spec, *spec.max);
  return "";
}

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const auto& value : values)
    texts.push_back(to_string(ParamValue(value)));
  return "[" + joined(texts) + "]";
}

/// Edits between two words; a swap of neighbours is one.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool is_swap =
          i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last.swap(row);
  }
  return last.back();
}

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return text;
}

}  // namespace

const Aliases& dtype_aliases() {
  static const Aliases words{{"float32", "fp32"}, {"f32", "fp32"},
                             {"float", "fp32"},   {"bfloat16", "bf16"},
                             {"float16", "fp16"}, {"f16", "fp16"},
                             {"half", "fp16"}};
  return words;
}

std::string to_string(ParamType type) {
  switch (type) {
    case ParamType::kBool:
      return "true or false";
    case ParamType::kInteger:
      return "integer";
    case ParamType::kReal:
      return "number";
    case ParamType::kText:
      return "text";
    case ParamType::kIntegers:
      return "list of integers";
    case ParamType::kTexts:
      return "list of texts";
    case ParamType::kReals:
      return "list of numbers";
  }
  return "";
}

std::string to_string(Ability ability) {
  switch (ability) {
    case Ability::kNone:
      return "";
    case Ability::kDraws:
      return "draws";
    case Ability::kShows:
      return "shows";
    case Ability::kChats:
      return "chats";
  }
  return "";
}

std::string to_string(const ParamValue& value) {
  struct Writer {
    std::string operator()(bool is_on) const {
      return is_on ? "true" : "false";
    }
    std::string operator()(std::int64_t number) const {
      return number_text(number);
    }
    std::string operator()(double number) const { return number_text(number); }
    std::string operator()(const std::string& text) const {
      return yaml_text(text);
    }
    std::string operator()(const std::vector<std::int64_t>& list) const {
      return list_text(list);
    }
    std::string operator()(const std::vector<std::string>& list) const {
      return list_text(list);
    }
    std::string operator()(const std::vector<double>& list) const {
      return list_text(list);
    }
  };
  return std::visit(Writer{}, value);
}

std::string expected(const ParamSpec& spec) {
  const bool is_list = spec.type() == ParamType::kTexts;
  if (!spec.choices.empty()) {
    return (is_list ? "list with items of " : "one of ") + joined(spec.choices);
  }
  return to_string(spec.type()) + range_text(spec);
}

ParamValue parse_param(const ParamSpec& spec, const Raw& raw) {
  if (spec.type() == ParamType::kIntegers) {
    return read_list(spec, raw, read_integer);
  }
  if (spec.type() == ParamType::kTexts) return read_list(spec, raw, read_text);
  if (spec.type() == ParamType::kReals) return read_list(spec, raw, read_real);
  const auto* scalar = std::get_if<RawScalar>(&raw);
  if (scalar == nullptr) refuse(spec, raw);
  switch (spec.type()) {
    case ParamType::kBool:
      return read_bool(spec, *scalar);
    case ParamType::kInteger:
      return read_integer(spec, *scalar);
    case ParamType::kReal:
      return read_real(spec, *scalar);
    default:
      return read_text(spec, *scalar);
  }
}

std::string suggestion(const std::string& unknown,
                       const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // keeps a hostile file cheap
  if (unknown.size() > kLongest) return "";
  const std::string word = lower(unknown);
  const std::string* best = nullptr;
  // A third of the letters may differ: more is a guess at random.
  std::size_t limit = word.size() / 3 + 1;
  for (const auto& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const std::size_t edits = distance(word, lower(candidate));
    if (edits >= limit) continue;
    best = &candidate;
    limit = edits;
  }
  return best == nullptr ? "" : ", did you mean '" + *best + "'?";
}

}  // namespace penstock
