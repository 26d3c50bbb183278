#include "penstock/token_set.h"

#include <bit>

#include "penstock/error.h"

namespace penstock {
namespace {

/// No vocabulary has so many: an id from a file must not ask for its memory.
constexpr std::int64_t kMostIds = std::int64_t{1} << 31U;

unsigned place(std::int64_t id) { return static_cast<unsigned>(id & 63); }
std::size_t word(std::int64_t id) { return static_cast<std::size_t>(id >> 6U); }

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

TokenSet::TokenSet(std::vector<std::uint64_t> bits) : bits_(std::move(bits)) {
  while (!bits_.empty() && bits_.back() == 0) bits_.pop_back();
  for (const std::uint64_t each : bits_) size_ += std::popcount(each);
  if (bits_.empty()) return;
  last_ = static_cast<std::int64_t>(bits_.size()) * 64 - 1 -
          std::countl_zero(bits_.back());
  if (size_ <= kMostListed) list();
}

void TokenSet::list() {
  ids_.reserve(static_cast<std::size_t>(size_));
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    for (std::uint64_t left = bits_[i]; left != 0; left &= left - 1) {
      ids_.push_back(static_cast<std::int64_t>(i) * 64 +
                     std::countr_zero(left));
    }
  }
  bits_ = {};
}

TokenSet common(const TokenSet& a, const TokenSet& b) {
  if (!a.is_listed() && !b.is_listed()) {
    std::vector<std::uint64_t> bits(std::min(a.bits().size(), b.bits().size()));
    for (std::size_t i = 0; i < bits.size(); ++i) {
      bits[i] = a.bits()[i] & b.bits()[i];
    }
    return TokenSet(std::move(bits));
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
