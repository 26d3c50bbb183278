#include "penstock/token_set.h"

#include <bit>

#include "penstock/error.h"

namespace penstock {
namespace {

/// No vocabulary has so many: an id from a file must not ask for its memory.
constexpr std::int64_t kMostIds = std::int64_t{1} << 31U;

unsigned place(std::int64_t id) { return static_cast<unsigned>(id & 63); }
std::size_t word(std::int64_t id) { return static_cast<std::size_t>(id >> 6U); }

/// Masks are mostly nothing: words that are all 0 are passed by in such blocks.
constexpr std::size_t kBlock = 12;

template <class Take>
void each_block(std::span<const std::uint64_t> words, const Take& take) {
  for (std::size_t i = 0; i < words.size(); i += kBlock) {
    const auto block = words.subspan(i, std::min(kBlock, words.size() - i));
    std::uint64_t any = 0;
    for (const std::uint64_t word : block) any |= word;
    if (any != 0) take(i, block);
  }
}

/// Bits that are set, three words at a time (Warren, Hacker's Delight, 5-1).
/// The instruction for it is not among those that a build for any processor
/// may use, and what std::popcount calls instead takes 6 ns a word: for a mask
/// of Gemma's vocabulary as long as all else about it.
std::int64_t count_bits(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  constexpr std::uint64_t kPairs = 0x5555555555555555;
  constexpr std::uint64_t kNibbles = 0x3333333333333333;
  constexpr std::uint64_t kBytes = 0x0F0F0F0F0F0F0F0F;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t nibbles = 0;  // at most 12 in each
  for (const std::uint64_t each : {a, b, c}) {
    const std::uint64_t pairs = each - ((each >> 1U) & kPairs);
    nibbles += (pairs & kNibbles) + ((pairs >> 2U) & kNibbles);
  }
  const std::uint64_t bytes = (nibbles & kBytes) + ((nibbles >> 4U) & kBytes);
  return static_cast<std::int64_t>((bytes * kOnes) >> 56U);  // at most 192
}

std::int64_t count_bits(std::span<const std::uint64_t> words) {
  std::int64_t sum = 0;
  each_block(words, [&](std::size_t, std::span<const std::uint64_t> block) {
    std::size_t i = 0;
    for (; i + 3 <= block.size(); i += 3) {
      sum += count_bits(block[i], block[i + 1], block[i + 2]);
    }
    for (; i < block.size(); ++i) sum += count_bits(block[i], 0, 0);
  });
  return sum;
}

Tokens listed(std::span<const std::uint64_t> words, std::int64_t size) {
  Tokens out;
  out.reserve(static_cast<std::size_t>(size));
  each_block(words,
             [&](std::size_t begin, std::span<const std::uint64_t> block) {
               for (std::size_t i = 0; i < block.size(); ++i) {
                 const auto first = static_cast<std::int64_t>(begin + i) * 64;
                 for (auto left = block[i]; left != 0; left &= left - 1) {
                   out.push_back(first + std::countr_zero(left));
                 }
               }
             });
  return out;
}

}  // namespace

TokenSet::TokenSet(Tokens ids) : ids_(std::move(ids)) {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  if (ids_.empty()) return;
  if (ids_.front() < 0 || ids_.back() >= kMostIds) {
    throw Error(Code::kInternal,
                str("a set of tokens has the id ",
                    ids_.front() < 0 ? ids_.front() : ids_.back()));
  }
  size_ = static_cast<std::int64_t>(ids_.size());
  last_ = ids_.back();
  if (size_ <= kMostListed) return;
  bits_.resize(word(last_) + 1);
  for (const std::int64_t id : ids_) {
    bits_[word(id)] |= std::uint64_t{1} << place(id);
  }
  ids_ = Tokens();
}

TokenSet::TokenSet(std::span<const std::uint64_t> bits) {
  while (!bits.empty() && bits.back() == 0) bits = bits.first(bits.size() - 1);
  if (bits.empty()) return;
  size_ = count_bits(bits);
  last_ = static_cast<std::int64_t>(bits.size()) * 64 - 1 -
          std::countl_zero(bits.back());
  if (size_ <= kMostListed) {
    ids_ = listed(bits, size_);
  } else {
    bits_.assign(bits.begin(), bits.end());
  }
}

TokenSet common(const TokenSet& a, const TokenSet& b) {
  if (!a.is_listed() && !b.is_listed()) {
    std::vector<std::uint64_t> bits(std::min(a.bits().size(), b.bits().size()));
    for (std::size_t i = 0; i < bits.size(); ++i) {
      bits[i] = a.bits()[i] & b.bits()[i];
    }
    return TokenSet(bits);
  }
  const TokenSet& listed = a.is_listed() ? a : b;
  const TokenSet& other = a.is_listed() ? b : a;
  Tokens ids;
  std::copy_if(listed.ids().begin(), listed.ids().end(),
               std::back_inserter(ids),
               [&](std::int64_t id) { return other.contains(id); });
  return TokenSet(std::move(ids));
}

}  // namespace penstock
