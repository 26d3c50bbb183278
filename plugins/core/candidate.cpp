#include "core/candidate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "penstock/decode.h"

namespace penstock::core {
namespace {

constexpr float kLeast = -std::numeric_limits<float>::infinity();

template <class T>
std::span<const T> row_of(const at::Tensor& values, std::int64_t row) {
  return {values.const_data_ptr<T>() + row * values.size(1),
          static_cast<std::size_t>(values.size(1))};
}

bool may(const TokenSet* allowed, std::int64_t id) {
  return allowed == nullptr || allowed->contains(id);
}

Candidates every(std::span<const float> scores, const TokenSet* allowed) {
  Candidates out{.all = {}, .floor = kLeast};
  out.all.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    if (may(allowed, id)) out.all.push_back({id, scores[i], scores[i]});
  }
  return out;
}

/// The best `want.top`: another row of the step may have asked for more.
Candidates best(const Scores& scores, std::int64_t at, const Want& want,
                const TokenSet* allowed) {
  const auto values = row_of<float>(scores.values, at);
  const auto ids = row_of<std::int64_t>(scores.ids, at);
  const auto count =
      std::min(values.size(), static_cast<std::size_t>(want.top));
  const bool is_all = values.size() < static_cast<std::size_t>(want.top) ||
                      (allowed != nullptr && allowed->size() <= want.top);
  Candidates out{.all = {}, .floor = kLeast};
  if (!is_all) out.floor = values[count - 1];
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_asked =
        std::binary_search(want.ids.begin(), want.ids.end(), ids[i]);
    if (ids[i] >= 0 && !is_asked)
      out.all.push_back({ids[i], values[i], values[i]});
  }
  if (want.ids.empty()) return out;
  const auto asked = row_of<float>(scores.at, at);
  for (std::size_t i = 0; i < want.ids.size(); ++i) {
    if (!may(allowed, want.ids[i])) continue;
    out.all.push_back({want.ids[i], asked[i], asked[i]});
  }
  return out;
}

}  // namespace

Candidates candidates_of(const Scores& scores, std::int64_t at,
                         const Want& want, const TokenSet* allowed) {
  Candidates out = want.full ? every(row_of<float>(scores.full, at), allowed)
                             : best(scores, at, want, allowed);
  float top = kLeast;
  bool has_nan = false;
  for (const Candidate& each : out.all) {
    has_nan |= std::isnan(each.raw);
    top = std::max(top, each.raw);
  }
  if (has_nan || !std::isfinite(top)) {
    throw ForwardFault(
        str("the scores are not finite (", has_nan ? std::nanf("") : top, ")"));
  }
  return out;
}

}  // namespace penstock::core
