#include "penstock/port.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "base/quote.h"
#include "penstock/error.h"

namespace penstock {
namespace {

constexpr const char* kAnyDims = "...";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kWord =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view kDotted =  // names and the values of facts
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+/";

/// Reads a port's text from left to right.
class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text), rest_(text) {}

  [[noreturn]] void refuse(const std::string& wanted) const {
    throw Error(Code::kInternal,
                str("port ", shown(text_), ": expected ", wanted, " at ",
                    rest_.empty() ? "its end" : shown(rest_),
                    "; a port is written 'name: dtype[dims]{facts}'"));
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (!take(c)) refuse(str("'", c, "'"));
  }
  std::string word(std::string_view letters, const std::string& wanted) {
    skip_blanks();
    const auto length =
        std::min(rest_.find_first_not_of(letters), rest_.size());
    if (length == 0) refuse(wanted);
    std::string out(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return out;
  }
  void need_end() {
    skip_blanks();
    if (!rest_.empty()) refuse("the end");
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  const std::string& text_;
  std::string_view rest_;
};

std::string read_dim(Reader& reader) {
  if (reader.take('.')) {
    for (int i = 0; i < 2; ++i) reader.need('.');
    return kAnyDims;
  }
  std::string dim = reader.word(kWord, "a dim");
  const bool begins_with_digit = kDigits.find(dim[0]) != kDigits.npos;
  if (begins_with_digit && !fixed_dim(dim)) reader.refuse("a dim");
  return dim;
}

bool has_any_dims(const Port& port) {
  return !port.dims.empty() && port.dims.back() == kAnyDims;
}

/// What the symbols stand for; one for all ports of a comparison.
class Symbols {
 public:
  /// Why a dim that is given does not serve the one wanted; "": it does.
  std::string bind(const std::string& given, const std::string& wanted) {
    const std::string got = value(given);
    if (fixed_dim(wanted)) return set(got, wanted);
    const auto [bound, is_new] = wanted_.emplace(wanted, got);
    if (is_new) return "";
    const std::string before = value(bound->second);
    const std::string problem =
        fixed_dim(got) ? set(before, got) : set(got, before);
    if (problem.empty()) return "";
    return str(got, ", expected ", before, " as ", wanted, " before");
  }

 private:
  /// A given symbol's number, where one is known by now.
  [[nodiscard]] std::string value(const std::string& given) const {
    const auto known = numbers_.find(given);
    return known == numbers_.end() ? given : known->second;
  }
  std::string set(const std::string& given, const std::string& wanted) {
    if (given == wanted) return "";
    if (fixed_dim(given) || !fixed_dim(wanted)) {
      return str(given, ", expected ", wanted);
    }
    numbers_[given] = wanted;
    return "";
  }

  std::map<std::string, std::string> wanted_;   // wanted symbol -> given dim
  std::map<std::string, std::string> numbers_;  // given symbol -> number
};

std::string fact_text(const std::string& key, const std::string& value) {
  return value.empty() ? key : key + "=" + value;
}

void compare_dims(const Port& given, const Port& wanted, Symbols& symbols,
                  const std::string& who, std::vector<std::string>& out) {
  if (has_any_dims(given) || has_any_dims(wanted)) return;
  const auto have = own_dims(given);
  const auto want = own_dims(wanted);
  if (have.size() != want.size()) {
    out.push_back(str(who, "it has ", have.size(), " dims, expected ",
                      want.size(), " (", to_string(wanted), ")"));
    return;
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto problem = symbols.bind(have[i], want[i]);
    if (problem.empty()) continue;
    out.push_back(
        str(who, "dim ", i + 1, " is ", problem, " (", to_string(wanted), ")"));
  }
}

void compare_facts(const Port& given, const Port& wanted,
                   const std::string& who, std::vector<std::string>& out) {
  for (const auto& [key, value] : wanted.facts) {
    const auto found = given.facts.find(key);
    const std::string want = fact_text(key, value);
    if (found == given.facts.end()) {
      std::vector<std::string> facts;
      for (const auto& [k, v] : given.facts) facts.push_back(fact_text(k, v));
      out.push_back(
          str(who, "expected {", want, "}, it is {", joined(facts), "}"));
    } else if (found->second != value) {
      out.push_back(str(who, "expected {", want, "}, it is {",
                        fact_text(key, found->second), "}"));
    }
  }
}

}  // namespace

std::optional<std::int64_t> fixed_dim(std::string_view dim) {
  if (dim.empty() || dim.find_first_not_of(kDigits) != dim.npos) return {};
  std::int64_t size = std::numeric_limits<std::int64_t>::max();
  // Leaves it as it is where the number is too large.
  (void)std::from_chars(dim.data(), dim.data() + dim.size(), size);
  return size;
}

bool has_batch_dim(const Port& port) {
  const auto& dims = port.dims;
  return !dims.empty() && (dims[0] == "B" || dims[0] == "R");
}

std::span<const std::string> own_dims(const Port& port) {
  return std::span(port.dims).subspan(has_batch_dim(port) ? 1 : 0);
}

Port parse_port(const std::string& text) {
  Reader reader(text);
  Port port;
  port.name = reader.word(kDotted, "a name");
  reader.need(':');
  port.dtype = reader.word(kWord, "a dtype");
  if (reader.take('[') && !reader.take(']')) {
    do {
      port.dims.push_back(read_dim(reader));
    } while (reader.take(','));
    reader.need(']');
  }
  if (reader.take('{') && !reader.take('}')) {
    do {
      const std::string key = reader.word(kDotted, "a fact");
      const bool has_value = reader.take('=');
      const std::string value =
          has_value ? reader.word(kDotted, "a value") : "";
      if (!port.facts.emplace(key, value).second) reader.refuse("a new fact");
    } while (reader.take(','));
    reader.need('}');
  }
  reader.need_end();
  return port;
}

std::string to_string(const Port& port) {
  std::string out = port.name + ": " + port.dtype;
  if (!port.dims.empty()) {
    out += "[";
    for (std::size_t i = 0; i < port.dims.size(); ++i) {
      out += (i == 0 ? "" : ",") + port.dims[i];
    }
    out += "]";
  }
  if (port.facts.empty()) return out;
  std::vector<std::string> facts;
  for (const auto& [key, value] : port.facts) {
    facts.push_back(fact_text(key, value));
  }
  return out + "{" + joined(facts) + "}";
}

std::vector<Port> with_missing(std::vector<Port> given,
                               const std::vector<Port>& beside,
                               const std::vector<Port>& wanted) {
  const std::size_t own = given.size();
  for (const Port& want : wanted) {
    const auto is_it = [&](const Port& port) { return port.name == want.name; };
    const auto end = given.begin() + static_cast<std::ptrdiff_t>(own);
    if (std::any_of(given.begin(), end, is_it)) continue;
    const auto found = std::find_if(beside.rbegin(), beside.rend(), is_it);
    if (found != beside.rend()) given.push_back(*found);
  }
  return given;
}

std::vector<std::string> mismatches(const std::vector<Port>& given,
                                    const std::vector<Port>& wanted) {
  std::vector<std::string> out;
  Symbols symbols;
  for (const auto& want : wanted) {
    const auto have =
        std::find_if(given.begin(), given.end(),
                     [&](const Port& port) { return port.name == want.name; });
    const std::string who = "port '" + want.name + "': ";
    if (have == given.end()) {
      std::vector<std::string> names;
      names.reserve(given.size());
      for (const auto& port : given) names.push_back(port.name);
      out.push_back(
          str(who, "missing; given: ", names.empty() ? "none" : joined(names)));
      continue;
    }
    if (have->dtype != want.dtype) {
      out.push_back(str(who, "it is ", have->dtype, ", expected ", want.dtype));
    }
    compare_dims(*have, want, symbols, who, out);
    compare_facts(*have, want, who, out);
  }
  return out;
}

}  // namespace penstock
