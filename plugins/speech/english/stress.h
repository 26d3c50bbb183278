// The sounds of English as misaki writes them, and where the stress goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::speech {

inline constexpr char32_t kPrimary = U'ˈ';
inline constexpr char32_t kSecondary = U'ˌ';

[[nodiscard]] bool is_vowel(char32_t c);
[[nodiscard]] bool is_consonant(char32_t c);

/// How a word is stressed beside its neighbours. Between two of them nothing
/// changes.
enum class Stress {
  kNone,  ///< takes both marks away
  kLess,  ///< a primary one becomes secondary
  kSome,  ///< a word without any gets a secondary one
  kMore,  ///< as kSome, but a primary one stays
  kFull,  ///< a secondary one becomes primary, a word without gets one
};

/// Unset: as they are.
[[nodiscard]] std::u32string stressed(std::u32string_view phonemes,
                                      std::optional<Stress> stress);
/// How long it takes to say them; diphthongs count twice.
[[nodiscard]] int weight_of(std::u32string_view phonemes);

}  // namespace penstock::speech
