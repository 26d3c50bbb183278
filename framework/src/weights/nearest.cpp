#include "weights/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "weights/byte_reader.h"

namespace penstock::weights {

namespace {

// Insertions, deletions and replacements between `a` and `b`.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_hint(const Index& index, std::string_view name) {
  // Both bounds keep a hostile file from making an error slow.
  constexpr std::size_t kLooked = 4096;
  constexpr std::size_t kLongest = 128;
  std::string_view best;
  std::size_t best_edits = kLongest;
  std::size_t looked = 0;
  for (const auto& [known, place] : index) {
    if (++looked > kLooked) break;
    if (known.size() > kLongest) continue;
    const auto count = edits(name.substr(0, kLongest), known);
    if (count < best_edits) {
      best = known;
      best_edits = count;
    }
  }
  return best.empty() ? "" : "; the nearest is " + in_quotes(best);
}

}  // namespace penstock::weights
