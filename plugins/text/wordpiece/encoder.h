// A text to the ids of WordPiece tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/wordpiece/vocabulary.h"

namespace penstock::text {

/// Const: any thread.
class WordPieceEncoder {
 public:
  explicit WordPieceEncoder(WordPieceVocabulary vocabulary)
      : vocabulary_(std::move(vocabulary)) {}

  /// The ids of UTF-8 text, without those around it.
  [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const;
  [[nodiscard]] const WordPieceVocabulary& vocabulary() const {
    return vocabulary_;
  }

 private:
  void encode_raw(std::string_view text, std::vector<std::int64_t>& ids) const;
  void encode_normalized(std::string_view text,
                         std::vector<std::int64_t>& ids) const;
  void encode_word(std::string_view word, std::vector<std::int64_t>& ids) const;

  WordPieceVocabulary vocabulary_;
};

}  // namespace penstock::text
