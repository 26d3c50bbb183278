#include "grammar/matcher.h"

#include <vector>

#include "penstock/text.h"

namespace penstock::grammar {

std::optional<std::span<const std::uint64_t>> Matcher::next() {
  // One for all answers of the thread: it stays in the processor's cache.
  thread_local std::vector<std::uint64_t> bits;
  bits.resize(static_cast<std::size_t>(vocabulary_ + 63) / 64);
  bits.back() = 0;
  // Its words have 32 bits, the lowest first, as the halves of ours.
  std::int64_t words = xgrammar::GetBitmaskSize(static_cast<int>(vocabulary_));
  DLTensor mask{.data = bits.data(),
                .device = {kDLCPU, 0},
                .ndim = 1,
                .dtype = xgrammar::GetBitmaskDLType(),
                .shape = &words,
                .strides = nullptr,
                .byte_offset = 0};
  if (!grammar_.FillNextTokenBitmask(&mask)) return std::nullopt;
  const auto rest = static_cast<unsigned>(vocabulary_ % 64);
  if (rest != 0) bits.back() &= (std::uint64_t{1} << rest) - 1;
  return std::span(std::as_const(bits));
}

std::string Matcher::forced_text() {
  std::string text = grammar_.FindJumpForwardString();
  text.resize(complete_utf8(text));
  if (invalid_utf8(text)) text.clear();
  return text;
}

}  // namespace penstock::grammar
