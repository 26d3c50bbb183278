// Vocabulary: Whisper's tokens as bytes, and which of them mean something,
// from tokenizer.json and the settings beside the model. Needs no libtorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock::whisper {

class Vocabulary {
 public:
  /// Reads tokenizer.json, and generation_config.json or config.json, of a
  /// folder; throws Error.
  explicit Vocabulary(const std::filesystem::path& folder);

  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(bytes_.size());
  }
  /// The bytes of a text token, "" for the others.
  [[nodiscard]] const std::string& bytes(std::int64_t id) const {
    return bytes_.at(static_cast<std::size_t>(id));
  }
  /// The token with that text, such as "<|en|>".
  [[nodiscard]] std::optional<std::int64_t> find(const std::string& word) const;

  std::int64_t end = 0;            ///< <|endoftext|>; text ids are below
  std::int64_t start = 0;          ///< <|startoftranscript|>
  std::int64_t previous = 0;       ///< <|startofprev|>
  std::int64_t no_speech = 0;      ///< <|nocaptions|>
  std::int64_t no_timestamps = 0;  ///< <|notimestamps|>
  std::int64_t first_time = 0;     ///< <|0.00|>; the next is 20 ms later
  bool is_multilingual = false;
  std::vector<std::int64_t> suppressed;           ///< forbidden everywhere
  std::vector<std::int64_t> suppressed_at_begin;  ///< forbidden at first

 private:
  void read_tokens(const std::filesystem::path& path);
  void name_tokens(const std::filesystem::path& path);
  void read_settings(const std::filesystem::path& path);

  std::vector<std::string> bytes_;
  std::map<std::string, std::int64_t> special_;
};

}  // namespace penstock::whisper
