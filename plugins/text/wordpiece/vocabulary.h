// What a file says of a WordPiece tokenizer: its tokens, the rules for a text
// and what stands around it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "text/wordpiece/normalize.h"
#include "text/wordpiece/token_table.h"

namespace penstock::text {

struct WordPieceVocabulary {
  std::vector<std::string> spellings;  ///< by id; "": no token has it
  TokenTable tokens;                   ///< that a word may begin with
  TokenTable continuations;  ///< that it may go on with, without their prefix
  std::int64_t unknown = 0;  ///< the id of a word that has no tokens
  std::int64_t padding = 0;
  std::int64_t longest_word = 100;  ///< characters; a longer one is unknown
  std::vector<std::int64_t> before, after;  ///< ids around a text
  NormalRules rules;
  /// Tokens that are taken whole wherever a text has them: before the rules,
  /// or as the rules leave them.
  TokenTable whole, whole_normalized;
  std::int64_t max_tokens = 0;  ///< that the file cuts a text to; 0: says none
};

/// Reads a tokenizer.json, by its ending, or else a vocab.txt, a token a line;
/// beside that a tokenizer_config.json may say `do_lower_case`. Throws
/// Error(kNotFound) where there is no file, Error(kData) for one that is no
/// WordPiece tokenizer of BERT's kind, with what was found and what expected.
[[nodiscard]] WordPieceVocabulary read_wordpiece(
    const std::filesystem::path& path);

/// Of read_wordpiece(), by format.
[[nodiscard]] WordPieceVocabulary read_wordpiece_json(
    const std::filesystem::path& path);
[[nodiscard]] WordPieceVocabulary read_wordpiece_lines(
    const std::filesystem::path& path);

/// Fills a vocabulary's tables as its tokens are read. Throws Error(kData),
/// with `file` in front.
class VocabularyMaker {
 public:
  VocabularyMaker(std::string file, std::string prefix)
      : file_(std::move(file)), prefix_(std::move(prefix)) {}

  /// A token of the model; `where` is its place in the file.
  void add(const std::string& text, std::int64_t id, const std::string& where);
  /// A token that stands beside the model's, or one of those.
  void add_whole(const std::string& text, std::int64_t id, bool is_normalized,
                 const std::string& where);
  /// After the last token of the model.
  void sort();
  /// The id of a token that has to be there, for `use`.
  [[nodiscard]] std::int64_t id_of(const std::string& text,
                                   const std::string& use) const;
  /// The id of one that may be; -1: it is not.
  [[nodiscard]] std::int64_t find(const std::string& text) const {
    return made_.tokens.id_of(text);
  }
  [[noreturn]] void fail(const std::string& problem) const;
  [[nodiscard]] WordPieceVocabulary& made() { return made_; }
  [[nodiscard]] const WordPieceVocabulary& made() const { return made_; }
  /// The whole, sorted.
  [[nodiscard]] WordPieceVocabulary take();

 private:
  void spell(const std::string& text, std::int64_t id,
             const std::string& where);

  std::string file_, prefix_;
  WordPieceVocabulary made_;
};

}  // namespace penstock::text
