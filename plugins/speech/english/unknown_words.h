// Words that no lexicon has: a small network spells out how they may sound.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::speech {

/// Any thread; calls take turns.
class UnknownWords {
 public:
  /// `model`: an ONNX file from i64[1,characters] to i64[1,classes], with a
  /// .json of the same name beside it that lists both alphabets. `cache`: a
  /// folder of compiled models, or "". Throws Error.
  explicit UnknownWords(const std::filesystem::path& model,
                        const std::string& cache = "");
  ~UnknownWords();

  /// Its phonemes; "" where it has no letter that the network knows. Of a long
  /// word what fits.
  [[nodiscard]] std::u32string operator()(std::u32string_view word) const;

 private:
  struct Network;
  std::unique_ptr<Network> network_;
};

}  // namespace penstock::speech
