#include "grammar/grammar_cost.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include "grammar/character_set.h"
#include "grammar/regex_check.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

/// xgrammar writes out so many repetitions at most, and counts the others.
constexpr std::int64_t kMostWritten = 256;

/// The characters of a quoted text, `at` being its first quote; `at` comes to
/// lie behind the last.
std::string quoted(std::string_view line, std::size_t& at) {
  std::string out;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    // In a regex only escapes of quotes and backslashes matter.
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    out += line[at];
  }
  ++at;
  return out;
}

bool is_of_name(char c) {
  return c == '_' || c == '-' || c == '.' || (c >= '0' && c <= '9') ||
         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// One rule: what its own places cost, and which rules it repeats.
struct RuleCost {
  std::int64_t own = 0;
  std::size_t elements = 0;  ///< texts, classes, rules
  std::string last_name;     ///< of a rule in it
  std::vector<std::pair<std::string, std::int64_t>> repeats;
};

/// Reads the body of a rule.
class Body {
 public:
  explicit Body(std::string_view text) : text_(text) {}

  RuleCost read() {
    while (at_ < text_.size()) step();
    return out_;
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"') {
      if (!quoted(text_, at_).empty()) ++out_.elements;
    } else if (c == '[') {
      read_class();
    } else if (text_.substr(at_).starts_with("Regex(\"")) {
      at_ += 6;
      ++out_.elements;
      out_.own += check_regex(quoted(text_, at_), "a regex in it");
    } else if (is_of_name(c)) {
      read_name();
    } else {
      ++at_;
    }
  }
  void read_class() {
    ++out_.elements;
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != ']') {
      at_ += unit_length(text_.substr(at_));
    }
    const auto cost = place_cost(class_set(text_.substr(begin, at_ - begin)));
    if (at_ < text_.size()) ++at_;
    if (text_.substr(at_).starts_with('*')) {
      out_.own += cost * ++loops_;  // it may be wherever those before it are
    } else {
      out_.own += cost * count();
    }
  }
  void read_name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    ++out_.elements;
    out_.last_name = name;
    if (const auto times = count(); times > 1) {
      out_.repeats.emplace_back(name, times);
    }
  }
  /// Of {n, m} where it stands here; the larger number counts.
  std::int64_t count() {
    if (at_ >= text_.size() || text_[at_] != '{') return 1;
    std::int64_t most = 1, number = 0;
    for (; at_ < text_.size() && text_[at_] != '}'; ++at_) {
      const char c = text_[at_];
      number = c >= '0' && c <= '9'
                   ? std::min(number * 10 + (c - '0'), kMostWritten)
                   : 0;
      most = std::max(most, number);
    }
    return most;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t loops_ = 0;
  RuleCost out_;
};

std::map<std::string, RuleCost> rules_of(const std::string& ebnf) {
  std::map<std::string, RuleCost> out;
  std::istringstream lines(ebnf);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t sign = line.find(" ::= ");
    if (sign == line.npos) continue;
    std::string name = line.substr(0, std::min(sign, line.find('[')));
    out[name] = Body(std::string_view(line).substr(sign + 5)).read();
  }
  return out;
}

/// What each further time of a rule costs: its place is written out where it is
/// a class, or another name of one.
std::int64_t written_out(const std::map<std::string, RuleCost>& rules,
                         const std::string& name) {
  auto found = rules.find(name);
  for (int i = 0; i < 16 && found != rules.end(); ++i) {
    const RuleCost& rule = found->second;
    if (rule.elements != 1) return 0;
    if (rule.last_name.empty()) return rule.own;
    found = rules.find(rule.last_name);
  }
  return 0;
}

}  // namespace

std::int64_t check_cost(const std::string& ebnf) {
  const auto rules = rules_of(ebnf);
  std::int64_t sum = 0, dearest = -1;
  std::string name;
  for (const auto& [rule, cost] : rules) {
    std::int64_t own = cost.own;
    for (const auto& [repeated, times] : cost.repeats) {
      own += written_out(rules, repeated) * (times - 1);
    }
    sum += own;
    if (own <= dearest) continue;
    dearest = own;
    name = rule;
  }
  if (sum <= kMostCost) return sum;
  throw Error(Code::kData,
              str("would take too long to prepare, its rule '", name,
                  "' above all; ask for fewer repetitions of wide classes, or "
                  "shorter lengths"));
}

}  // namespace penstock::grammar
