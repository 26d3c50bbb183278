// How a word sounds by the lexicon: as it stands there, as a stem with -s, -ed
// or -ing, spelled letter by letter, or read as a number. The rules are those
// of misaki, whose lexicon it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "speech/english/dictionary.h"
#include "speech/english/stress.h"
#include "speech/english/token.h"

namespace penstock::speech {

using Phonemes = std::optional<std::u32string>;

/// What comes behind a word.
struct Following {
  /// Whether it begins with a vowel; unset: a pause, or nothing.
  std::optional<bool> is_vowel = {};
  bool is_to = false;  ///< it is "to", as in "used to"
};

/// A word with its part of speech, and what its place asks of its stress.
struct Spoken {
  std::u32string_view word;
  std::string tag;
  std::optional<Stress> stress = {};
  const Following* following = nullptr;  ///< null: nothing is known
};

/// Any thread.
class Lexicon {
 public:
  /// `good`: checked readings, `fair`: made ones. British English has other
  /// rules for some ends.
  Lexicon(Dictionary good, Dictionary fair, bool is_british)
      : good_(std::move(good)),
        fair_(std::move(fair)),
        is_british_(is_british) {}

  /// Of a token before what follows; nothing: not a word that is known.
  [[nodiscard]] Phonemes operator()(const Token& token,
                                    const Following& following) const;
  /// Of a number with what hangs on it ("1990s", "3rd"); digits of ASCII, dots
  /// and commas. `is_head`: it begins its word.
  [[nodiscard]] Phonemes number(std::u32string_view word, char32_t currency,
                                bool is_head) const;

 private:
  friend class NumberReader;

  [[nodiscard]] Phonemes word(const Spoken& spoken) const;
  [[nodiscard]] Phonemes special(const Spoken& spoken) const;
  [[nodiscard]] Phonemes little_word(const Spoken& spoken) const;
  [[nodiscard]] Phonemes look_up(Spoken spoken) const;
  [[nodiscard]] Phonemes look_up(std::u32string_view word,
                                 std::optional<Stress> stress = {}) const;
  /// Letter by letter.
  [[nodiscard]] Phonemes spelled(std::u32string_view word) const;
  [[nodiscard]] Phonemes usual(std::u32string_view word) const;
  [[nodiscard]] bool is_known(std::u32string_view word) const;
  /// Whether a word that is written large is an ordinary one.
  [[nodiscard]] bool is_ordinary(const Spoken& spoken,
                                 std::u32string_view small) const;

  [[nodiscard]] Phonemes stem_s(const Spoken& spoken) const;
  [[nodiscard]] Phonemes stem_ed(const Spoken& spoken) const;
  [[nodiscard]] Phonemes stem_ing(const Spoken& spoken) const;
  [[nodiscard]] Phonemes stem(const Spoken& spoken,
                              std::u32string_view stem) const;
  [[nodiscard]] Phonemes with_s(Phonemes stem) const;
  [[nodiscard]] Phonemes with_ed(Phonemes stem) const;
  [[nodiscard]] Phonemes with_ing(Phonemes stem) const;

  Dictionary good_, fair_;
  bool is_british_;
};

/// The name of a currency's unit and of its hundredth part; "": no currency.
[[nodiscard]] std::pair<std::u32string_view, std::u32string_view> units_of(
    char32_t currency);

}  // namespace penstock::speech
