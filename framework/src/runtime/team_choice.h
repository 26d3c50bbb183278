// TeamChoice: whether tensor operations of a stage get libtorch's team of
// threads or one thread. Waking a team costs more than a small step, fifty
// times more where other programs keep the cores, and no author of a stage can
// know.
//
// Steps of a size (a power of two of tokens) are looked at until it is known
// whether one thread does them in next to no time. That is measured in the
// thread's own time, which other programs do not change.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "penstock/parallel.h"

namespace penstock {

/// Of one stage; one thread at a time.
class TeamChoice {
 public:
  /// `size`: of the step, in tokens or sequences.
  template <class Call>
  auto run(std::int64_t size, Call&& call) {
    State& state = states_.at(static_cast<std::size_t>(
        std::bit_width(static_cast<std::uint64_t>(size))));
    if (state.kind == Kind::kTeam) return call();
    if (state.kind == Kind::kSerial) {
      const SerialOps serial;
      return call();
    }
    std::optional<SerialOps> serial;
    if (state.kind == Kind::kTriesSerial) serial.emplace();
    const Look look(state);
    return call();
  }

 private:
  enum class Kind { kLooksAtTeam, kTriesSerial, kSerial, kTeam };
  struct State {
    Kind kind = Kind::kLooksAtTeam;
    int looks = 0;
  };
  /// Measures a call and decides.
  class Look {
   public:
    explicit Look(State& state);
    ~Look();
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;

   private:
    State& state_;
    std::int64_t start_;
  };

  std::array<State, 65> states_;
};

}  // namespace penstock
