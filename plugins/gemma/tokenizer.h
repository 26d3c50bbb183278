// The tokenizer of a Gemma model: sentencepiece on the vocabulary of a
// `tokenizer.model`, or on one rebuilt from a `tokenizer.json` or from the
// arrays of a GGUF file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/value.h"

namespace penstock::gemma {

/// Const after opening: any thread may use it.
class Tokenizer {
 public:
  /// `path`: one of these files, or a model's folder. Throws Error(kNotFound
  /// or kData).
  [[nodiscard]] static std::shared_ptr<const Tokenizer> open(
      const std::filesystem::path& path);
  ~Tokenizer();

  /// Ids of UTF-8 text, without BOS. Control words in it (`<bos>`) are text.
  [[nodiscard]] Tokens encode(std::string_view text) const;

  /// Words that templates write and a message must not: turns, images, <bos>
  /// and its like.
  struct ControlWord {
    std::string spelling;
    std::int64_t id = 0;
  };
  [[nodiscard]] const std::vector<ControlWord>& control_words() const;

  /// What an id stands for: text ready to print, or a single raw byte, or
  /// nothing (control ids such as <bos>).
  enum class Kind { kText, kByte, kNothing };
  struct Piece {
    Kind kind = Kind::kNothing;
    std::string text;
  };
  [[nodiscard]] Piece piece(std::int64_t id) const;
  /// The vocabulary's own spelling, for --show.
  [[nodiscard]] const std::string& spelling(std::int64_t id) const;

  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] std::int64_t bos() const;
  /// Whether a text begins with bos(): false only where the files say so.
  [[nodiscard]] bool adds_bos() const;
  /// Whether words behind the beginning or a control word get a space in front,
  /// which encode() does not do: true only where a GGUF file says so.
  [[nodiscard]] bool adds_space() const;
  /// The longest sequence that the model takes; 0: the file does not say.
  [[nodiscard]] std::int64_t context_length() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace penstock::gemma
