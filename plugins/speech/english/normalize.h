// What is written but not read as it stands, as words: times, dates, units,
// sums of money, abbreviations, Roman numbers, signs. Plain numbers stay; the
// lexicon reads them (spoken_number.h).
#pragma once

#include <memory>
#include <string>

#include "speech/english/word_tables.h"

namespace penstock::speech {

/// Any thread.
class Normalizer {
 public:
  explicit Normalizer(const WordTables& tables);
  ~Normalizer();
  Normalizer(Normalizer&&) noexcept;
  Normalizer& operator=(Normalizer&&) noexcept;

  /// Of a sentence; blanks become single spaces.
  [[nodiscard]] std::u32string operator()(std::u32string_view text) const;

 private:
  struct Rules;
  std::unique_ptr<const Rules> rules_;
};

}  // namespace penstock::speech
