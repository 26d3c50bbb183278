// A vocabulary of five words, as a folder beside a model would have it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "penstock/value.h"
#include "whisper/vocabulary.h"

namespace penstock::whisper {

inline constexpr std::int64_t kEnd = 5;
inline constexpr std::int64_t kFirstTime = 10;
inline constexpr std::size_t kVocab = 30;

inline const std::string kTokens = R"({
  "model": {"vocab": {"a": 0, "Ġb": 1, "c": 2, "(": 3, "Ã": 4}},
  "added_tokens": [
    {"id": 5, "content": "<|endoftext|>"},
    {"id": 6, "content": "<|startoftranscript|>"},
    {"id": 7, "content": "<|startofprev|>"},
    {"id": 8, "content": "<|nocaptions|>"},
    {"id": 9, "content": "<|notimestamps|>"}]})";

inline Vocabulary small_vocabulary(const std::string& tokens = kTokens,
                                   const std::string& settings =
                                       R"({"suppress_ids": [3],
                                           "suppress_ids_begin": [5]})") {
  const std::filesystem::path folder = ::testing::TempDir();
  std::ofstream(folder / "tokenizer.json") << tokens;
  std::ofstream(folder / "config.json") << settings;
  return Vocabulary(folder);
}

}  // namespace penstock::whisper
