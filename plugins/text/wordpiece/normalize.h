// BERT's way from a text to words: clean, space out ideographs, strip accents,
// lower-case, cut at blanks and around punctuation. As Hugging Face's
// `tokenizers` does it, which knows the characters of Unicode 8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::text {

/// What is done to a text before it is cut; as BERT's uncased models have it.
struct NormalRules {
  bool clean = true;      ///< drop control characters, any blank is a space
  bool space_cjk = true;  ///< a space on each side of a CJK ideograph
  bool strip_accents = true;
  bool lower = true;
};

/// UTF-8 text under the rules. Any thread.
[[nodiscard]] std::string normalized(std::string_view text,
                                     const NormalRules& rules);

/// What stands between the blanks of a normalised text; each punctuation mark
/// is a word. Views of `text`. Any thread.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);

/// The text without the blanks at its end, as Unicode has them.
[[nodiscard]] std::string_view without_end_blanks(std::string_view text);

}  // namespace penstock::text
