// The words that a voice's package lists for reading what is no word: months,
// titles, units, signs.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "penstock/json.h"

namespace penstock::speech {

/// Keys and values in the order of the file, UTF-8.
struct WordTables {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  /// One of it, and several: "mile", "miles".
  using Forms = std::map<std::string, std::pair<std::string, std::string>>;

  Pairs months;         ///< twelve of them: "jan" -> "January"
  Pairs titles;         ///< "Dr"
  Pairs abbreviations;  ///< "approx."
  Pairs symbols;        ///< "=" -> "equals"
  Forms units, currencies;
  std::vector<std::string> roman_cardinal;  ///< before "IV": "Chapter"
  std::vector<std::string> roman_ordinal;   ///< "Henry"
};

/// Throws Error(kData) naming the place.
[[nodiscard]] WordTables read_word_tables(const JsonView& view);

}  // namespace penstock::speech
