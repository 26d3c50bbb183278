// English text to phonemes as misaki writes them: what Kokoro's family of
// voices was trained to hear. normalize -> tokenize -> tag -> subtokens ->
// lexicon, right to left, since a word hangs on the sound behind it -> the
// network for unknown words -> stress within words of several parts.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "speech/english/lexicon.h"
#include "speech/english/normalize.h"
#include "speech/english/subtokens.h"
#include "speech/english/tagger.h"
#include "speech/english/tokenize.h"

namespace penstock::speech {

/// What a voice's package brings for English.
struct EnglishParts {
  Normalizer normalizer;
  Tokenizer tokenizer;
  Tagger tagger;
  Lexicon lexicon;
  /// The phonemes of letters that the lexicon has not; "": none.
  std::function<std::u32string(std::u32string_view)> unknown_word;
};

struct Pronounced {
  std::u32string phonemes;
  /// Words with letters that have no sound here: of other scripts.
  std::vector<std::string> unread;
};

/// Any thread, if the parts are for any.
class English {
 public:
  explicit English(EnglishParts parts);

  /// Of a sentence. [word](/phonemes/) in it says how a word sounds.
  [[nodiscard]] Pronounced operator()(std::u32string_view sentence) const;
  /// The same as words before they are read: of tests.
  [[nodiscard]] std::u32string normalized(std::u32string_view text) const {
    return parts_.normalizer(text);
  }

 private:
  [[nodiscard]] std::vector<Token> tokens_of(const std::u32string& text) const;
  void add_tokens(std::u32string_view text, std::vector<Token>& out) const;
  void read(Word& word, Following& following) const;
  void read_parts(Word& word, Following& following) const;
  [[nodiscard]] std::u32string sound_out(const Token& token) const;

  EnglishParts parts_;
  Subtokens subtokens_;
  Pattern link_, piece_;
};

}  // namespace penstock::speech
