#include "grammar/regex_check.h"

#include <algorithm>
#include <vector>

#include "grammar/character_set.h"
#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostRegexBytes = 4096, kDeepestGroups = 32;
/// Copies of its parts that a regex may come to: states of an automaton.
constexpr std::int64_t kMostParts = 5'000;

[[noreturn]] void refuse(const std::string& place, const std::string& why) {
  throw Error(Code::kData, place + ": " + why);
}

/// Counts the parts of a regex, and what they cost, with each repetition
/// written out.
class Parts {
 public:
  Parts(std::string_view regex, const std::string& place)
      : regex_(regex), place_(place) {}

  std::int64_t cost() {
    open_.push_back({});
    while (at_ < regex_.size()) step();
    if (open_.size() > 1) refuse(place_, "a '(' has no ')'");
    return open_.back().sum.cost;
  }

 private:
  struct Size {
    std::int64_t parts = 0, cost = 0;
    std::int64_t loops = 0;  ///< parts that may come any number of times
  };
  /// Of a group that is not closed yet.
  struct Group {
    Size sum, last;
  };

  void add(const Size& part) {
    Group& group = open_.back();
    group.last = part;
    group.sum.parts += part.parts;
    group.sum.cost += part.cost;
    group.sum.loops += part.loops;
    check(group);
  }

  /// The last part may come any number of times: wherever a loop before it may
  /// be, it may be too.
  void loop() {
    Group& group = open_.back();
    group.sum.cost += group.last.cost * group.sum.loops;
    group.sum.loops += 1;
    group.last.loops += 1;
    check(group);
  }

  void check(const Group& group) const {
    if (group.sum.parts > kMostParts) {
      refuse(place_, str("its repetitions, written out, are more than ",
                         kMostParts, " parts; at position ", at_));
    }
    if (group.sum.cost > kMostCost) {
      refuse(place_,
             str("its repetitions would take too long to prepare; at position ",
                 at_, "; ask for fewer, or for narrower classes"));
    }
  }

  void step() {
    const char c = regex_[at_];
    if (c == '[') return add_class();
    if (c == '{') return repeat();
    if (c == '(') {
      open_.push_back({});
      if (open_.size() > kDeepestGroups) {
        refuse(place_, str("groups stand more than ", kDeepestGroups, " deep"));
      }
    } else if (c == ')') {
      if (open_.size() == 1) refuse(place_, "a ')' has no '('");
      Size group = open_.back().sum;
      group.parts = std::max<std::int64_t>(group.parts, 1);
      open_.pop_back();
      add(group);
    } else if (c == '*' || c == '+') {
      loop();
    } else if (std::string_view("^$|?").find(c) == std::string_view::npos) {
      const auto unit = regex_.substr(at_, unit_length(regex_.substr(at_)));
      add({.parts = 1, .cost = place_cost(unit_set(unit))});
      at_ += unit.size() - 1;
    }
    ++at_;
  }

  void add_class() {
    const std::size_t begin = ++at_;
    if (at_ < regex_.size() && regex_[at_] == '^') ++at_;
    while (at_ < regex_.size() && regex_[at_] != ']') {
      at_ += unit_length(regex_.substr(at_));
    }
    if (at_ >= regex_.size()) refuse(place_, "a '[' has no ']'");
    add({.parts = 1,
         .cost = place_cost(class_set(regex_.substr(begin, at_ - begin)))});
    ++at_;
  }

  /// {n}, {n,} and {n,m}; the larger number counts.
  void repeat() {
    std::int64_t most = 0;
    std::int64_t number = 0;
    for (++at_; at_ < regex_.size() && regex_[at_] != '}'; ++at_) {
      const char c = regex_[at_];
      if (c == ',') number = 0;
      if (c < '0' || c > '9') continue;
      number = std::min(number * 10 + (c - '0'), kMostParts + 1);
      most = std::max(most, number);
    }
    const bool is_open = at_ < regex_.size() && regex_[at_ - 1] == ',';
    ++at_;
    const Size last = open_.back().last;
    if (most > 1) {
      const std::int64_t times = most - 1;
      const Size more{.parts = last.parts * times,
                      .cost = last.cost * times *
                              std::max<std::int64_t>(last.loops * most / 2, 1),
                      .loops = last.loops * times};
      add(more);
      open_.back().last = {.parts = last.parts + more.parts,
                           .cost = last.cost + more.cost,
                           .loops = last.loops + more.loops};
    }
    if (is_open) loop();
  }

  std::string_view regex_;
  const std::string& place_;
  std::size_t at_ = 0;
  std::vector<Group> open_;
};

}  // namespace

std::int64_t check_regex(std::string_view regex, const std::string& place) {
  if (regex.size() > kMostRegexBytes) {
    refuse(place, str(regex.size(), " bytes are too many; the most is ",
                      kMostRegexBytes));
  }
  if (invalid_utf8(regex)) refuse(place, "it is not UTF-8");
  return Parts(regex, place).cost();
}

}  // namespace penstock::grammar
