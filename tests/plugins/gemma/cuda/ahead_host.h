// What the runtime does with a Forward and core.sample, in little and by hand:
// requests join, are run whole, get tokens, part into branches, are cut where a
// draft was wrong, and end.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/sample.h"
#include "penstock/forward.h"

namespace penstock::gemma::cuda {

class AheadHost {
 public:
  struct Asked {
    Tokens prompt;
    core::SampleParams params = {};
    int begin = 0;  ///< step at which it joins
    /// Chance in a hundred that a token is replaced, as by a rule that nobody
    /// foresaw; and that the answer is cut by some tokens.
    int replaced = 0, cut = 0;
  };

  explicit AheadHost(Forward& forward);

  /// Its number, from 0.
  int add(Asked asked);
  /// One step; false: nothing is left to do.
  bool step();
  void run() {
    while (step()) {
    }
  }
  /// The answers' tokens, with the prompts', by request and branch.
  [[nodiscard]] const std::map<std::pair<int, int>, Tokens>& texts() const {
    return texts_;
  }
  [[nodiscard]] int steps() const { return steps_; }

 private:
  struct Asking {
    Asked asked;
    int number = 0;
    Item item;
    bool has_begun = false;
  };
  struct Running {
    Asking* of = nullptr;
    Sequence sequence;
    bool is_over = false;
  };

  void join();
  [[nodiscard]] Step make_step();
  void apply(const Step& step, std::vector<Next>& nexts);
  void apply(Running& running, Next& next);
  void meddle(Running& running);
  void sync(Running& running);
  [[nodiscard]] int free_slot() const;
  Running& running_of(const Sequence& sequence);

  Forward& forward_;
  core::SampleDecode decode_;
  Notes facts_;
  std::list<Asking> asked_;
  std::list<Running> running_;
  std::map<std::pair<int, int>, Tokens> texts_;
  std::map<int, Tokens> held_;  ///< by slot
  int steps_ = 0;
};

}  // namespace penstock::gemma::cuda
