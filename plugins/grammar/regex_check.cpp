#include "grammar/regex_check.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostBytes = 4096, kDeepest = 32;
/// Copies of its parts that a regex may come to; with a large vocabulary each
/// takes some 0.03 s to prepare.
constexpr std::int64_t kMostParts = 1'000;

[[noreturn]] void refuse(const std::string& place, const std::string& why) {
  throw Error(Code::kData, place + ": " + why);
}

/// Counts the parts of a regex with each repetition written out.
class Parts {
 public:
  Parts(std::string_view regex, const std::string& place)
      : regex_(regex), place_(place) {}

  void count() {
    open_.push_back({});
    while (at_ < regex_.size()) step();
    if (open_.size() > 1) refuse(place_, "a '(' has no ')'");
  }

 private:
  /// Of a group that is not closed yet.
  struct Group {
    std::int64_t parts = 0;  ///< so far
    std::int64_t last = 0;   ///< of its last part
  };

  void add(std::int64_t parts) {
    Group& group = open_.back();
    group.last = parts;
    group.parts += parts;
    if (group.parts <= kMostParts) return;
    refuse(place_, str("its repetitions, written out, are more than ",
                       kMostParts, " parts; at position ", at_));
  }

  void step() {
    const char c = regex_[at_++];
    if (c == '\\') {
      if (at_ < regex_.size()) ++at_;
      add(1);
    } else if (c == '[') {
      skip_class();
      add(1);
    } else if (c == '(') {
      open_.push_back({});
      if (open_.size() > kDeepest) {
        refuse(place_, str("groups stand more than ", kDeepest, " deep"));
      }
    } else if (c == ')') {
      if (open_.size() == 1) refuse(place_, "a ')' has no '('");
      const std::int64_t parts = std::max<std::int64_t>(open_.back().parts, 1);
      open_.pop_back();
      add(parts);
    } else if (c == '{') {
      repeat();
    } else {
      add(1);
    }
  }

  void skip_class() {
    if (at_ < regex_.size() && regex_[at_] == '^') ++at_;
    if (at_ < regex_.size() && regex_[at_] == ']') ++at_;
    while (at_ < regex_.size() && regex_[at_] != ']') {
      at_ += regex_[at_] == '\\' ? 2 : 1;
    }
    ++at_;
  }

  /// {n}, {n,} and {n,m}; the larger number counts.
  void repeat() {
    std::int64_t most = 0;
    std::int64_t number = 0;
    for (; at_ < regex_.size() && regex_[at_] != '}'; ++at_) {
      const char c = regex_[at_];
      if (c == ',') number = 0;
      if (c < '0' || c > '9') continue;
      number = std::min(number * 10 + (c - '0'), kMostParts + 1);
      most = std::max(most, number);
    }
    ++at_;
    if (most > 1) add(open_.back().last * (most - 1));
  }

  std::string_view regex_;
  const std::string& place_;
  std::size_t at_ = 0;
  std::vector<Group> open_;
};

}  // namespace

void check_regex(std::string_view regex, const std::string& place) {
  if (regex.size() > kMostBytes) {
    refuse(place,
           str(regex.size(), " bytes are too many; the most is ", kMostBytes));
  }
  if (invalid_utf8(regex)) refuse(place, "it is not UTF-8");
  Parts(regex, place).count();
}

}  // namespace penstock::grammar
