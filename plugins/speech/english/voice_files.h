// The files that a voice's package brings for English, beside its model.
#pragma once

#include <filesystem>
#include <string>

#include "speech/english/pronounce.h"
#include "speech/english/sentences.h"

namespace penstock::speech {

enum class Accent { kAmerican, kBritish };

/// Reads the lexicons, the tagger and the tables, and compiles the network for
/// unknown words, or takes it from `cache`, a folder of compiled models. Throws
/// Error(kNotFound) naming the file that is missing, kData for a damaged one.
[[nodiscard]] English read_english(const std::filesystem::path& folder,
                                   Accent accent,
                                   const std::string& cache = "");
[[nodiscard]] Sentences read_sentences(const std::filesystem::path& folder);

/// How large the files are that read_english() reads: 0 where one is missing.
[[nodiscard]] std::int64_t english_bytes(const std::filesystem::path& folder,
                                         Accent accent);

/// The text of a file that gzip packed, or of a plain one; at most `most`
/// bytes. Throws Error(kNotFound), Error(kData).
[[nodiscard]] std::string unpacked(const std::filesystem::path& path,
                                   std::size_t most);

}  // namespace penstock::speech
