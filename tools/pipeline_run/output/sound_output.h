// Sound on standard output: bytes, nothing else between them, and never onto a
// terminal.
#pragma once

#include <cstdint>
#include <string>

#include "penstock/composition_file.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// Whether what the last step gives is media, and goes to standard output: its
/// postprocess says so, no folder is set for it, and results are not JSON, a
/// look at stages or of an earlier one. Throws Error(kUsage) where that could
/// not be kept: a terminal would show noise, a JSON line cannot hold it.
[[nodiscard]] bool gives_sound(const Options& options,
                               const CompositionFile& file);

/// Looks at what goes to a file, and says its length in the head of a WAV
/// stream once it is known.
class WavLength {
 public:
  /// Remembers where in the file the stream begins.
  explicit WavLength(int descriptor);

  void add(const std::string& bytes);
  /// Nothing happens where it is no WAV stream or no file that can be written
  /// anywhere.
  void correct() const;

 private:
  int descriptor_;
  std::int64_t begin_;
  std::string head_;
  std::int64_t bytes_ = 0;
};

}  // namespace penstock::run
