#include "lib/tools/arguments_end.h"

#include <utility>

namespace penstock::tools {
namespace {

constexpr std::size_t kMostDepth = 32;

}  // namespace

/// Whether the byte is of a text, or begins or ends one.
bool ArgumentsEnd::is_text(char byte) {
  if (notation_ == Notation::kEscaped) {
    if (byte != kEscape[matched_]) matched_ = 0;
    if (byte == kEscape[matched_]) ++matched_;
    if (matched_ < kEscape.size()) return is_in_text_;
    matched_ = 0;
    is_in_text_ = !is_in_text_;
    return true;
  }
  if (std::exchange(is_behind_backslash_, false)) return true;
  is_behind_backslash_ = is_in_text_ && byte == '\\';
  if (byte != '"') return is_in_text_;
  is_in_text_ = !is_in_text_;
  return true;
}

ArgumentsEnd::State ArgumentsEnd::add(char byte) {
  if (depth_ == 0 && byte != '{') return State::kWrong;
  if (is_text(byte)) return State::kMore;
  if (byte == '{' || byte == '[') {
    return ++depth_ > kMostDepth ? State::kWrong : State::kMore;
  }
  if (byte == '}' || byte == ']') --depth_;
  return depth_ == 0 ? State::kDone : State::kMore;
}

}  // namespace penstock::tools
