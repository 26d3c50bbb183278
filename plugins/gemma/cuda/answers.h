// What the scored rows of a step want of the vocabulary, what of that the
// head's kernels find by themselves, and where their answers lie.
#pragma once

#include <compare>
#include <span>
#include <vector>

#include "gemma/cuda/kernels.h"
#include "penstock/step.h"

namespace penstock::gemma::cuda {

/// Union of what rows want, in sizes that few graphs have.
struct HeadWants {
  bool any = false;      ///< anything that needs the vocabulary
  bool whole = false;    ///< more than the kernels find: every score is fetched
  std::int32_t k = 1;    ///< best scores of each row
  std::int32_t ids = 0;  ///< single tokens of each row
  bool norm = false, masks = false;
  // As the step has it:
  std::int64_t top = 0;
  std::size_t wanted = 0;
  bool follow = false;

  HeadWants(const Step& step, const std::vector<Position>& positions);
  /// What rows will ask for that ask for this now; `will_ask_drawn`: of one
  /// token more, so that one more may be edited.
  [[nodiscard]] HeadWants next(bool will_ask_drawn) const;

  /// Those that make another graph.
  [[nodiscard]] std::strong_ordering operator<=>(const HeadWants& other) const;
  [[nodiscard]] bool operator==(const HeadWants& other) const;

 private:
  void round();
};

/// The answers of `rows` rows, one behind the other.
struct AnswerLayout {
  std::int32_t k = 0, singles = 0;  ///< of a row
  std::int64_t ids = 0;             ///< i32 [rows, k]
  std::int64_t values = 0;          ///< f32 [rows, k]
  std::int64_t norm = 0;            ///< f32 [rows]
  std::int64_t single = 0;          ///< f32 [rows, singles]
  std::int64_t drawn = 0;  ///< i32 [rows], the row's token, where it was drawn
  std::int64_t bytes = 0;  ///< of all

  AnswerLayout(const HeadWants& wants, std::int64_t rows, bool is_drawn);
  [[nodiscard]] auto operator<=>(const AnswerLayout&) const = default;
  [[nodiscard]] static std::int64_t most_bytes(std::int64_t rows);
};

/// The single tokens that a row wants, as the kernels take them: Want::ids,
/// then the token that follows; -1: none. `out` has wants.ids places.
void put_wanted_ids(const Position& position, const HeadWants& wants,
                    std::span<std::int32_t> out);
/// Bits of the tokens that may come.
void put_mask(const TokenSet& allowed, std::span<std::uint32_t> out);

/// Which of the answers are a position's: the row, and of the single scores
/// those of its Want::ids, in their order.
struct AnswerPlace {
  std::size_t row = 0;
  std::vector<std::int32_t> singles;
};
/// The places where all were asked as put_wanted_ids() does.
[[nodiscard]] std::vector<AnswerPlace> places_of(
    std::span<const Position> positions);

/// Scores of the positions from the answers at `at`, as `wants` asks.
[[nodiscard]] Scores read_answers(const std::byte* at,
                                  const AnswerLayout& layout,
                                  const HeadWants& wants,
                                  std::span<const Position> positions,
                                  std::span<const AnswerPlace> places);

}  // namespace penstock::gemma::cuda
