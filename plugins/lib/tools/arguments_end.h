// ArgumentsEnd: where the arguments of a call end, in text as it comes.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/tools/call_syntax.h"

namespace penstock::tools {

/// What begins and ends a text in the escaped notation.
inline constexpr std::string_view kEscape = "<escape>";

/// Counts brackets outside of texts. Nothing else is looked at.
class ArgumentsEnd {
 public:
  explicit ArgumentsEnd(Notation notation) : notation_(notation) {}

  enum class State { kMore, kDone, kWrong };
  /// The next byte; kDone with the last bracket, kWrong for what does not begin
  /// with one, or nests too deep.
  [[nodiscard]] State add(char byte);

 private:
  [[nodiscard]] bool is_text(char byte);

  Notation notation_;
  std::size_t depth_ = 0;
  bool is_in_text_ = false, is_behind_backslash_ = false;
  std::size_t matched_ = 0;  ///< bytes of kEscape
};

}  // namespace penstock::tools
