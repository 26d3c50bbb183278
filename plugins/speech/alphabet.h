// The ids that a voice has for phonemes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/json.h"
#include "penstock/notes.h"

namespace penstock::speech {

/// What Piper's MODEL.json says beside the ids.
struct PiperVoice {
  std::int64_t sample_rate = 22050;
  /// How varied the voice is, how slow, and how varied in that.
  double noise = 0.667, length = 1, length_noise = 0.8;
};

/// Any thread.
class Alphabet {
 public:
  /// Of a voice's model: vocab.json beside it ({"a": 43}), or Piper's
  /// MODEL.json with its phoneme_id_map. Throws Error(kNotFound) where there is
  /// neither, kData for a damaged one.
  static Alphabet beside(const std::filesystem::path& model);

  /// Of phonemes as misaki writes them, with what stands around them; those
  /// that the voice has not are left out. Empty: none is left.
  [[nodiscard]] Tokens ids(std::u32string_view phonemes) const;

  /// Of a voice of Piper's, which takes sounds as espeak writes them; null: it
  /// is none.
  [[nodiscard]] const PiperVoice* piper() const {
    return piper_ ? &*piper_ : nullptr;
  }

 private:
  void read_vocabulary(const JsonView& view);
  void read_piper(const JsonView& view);

  std::unordered_map<char32_t, Tokens> ids_;
  Tokens first_, last_, between_;
  std::optional<PiperVoice> piper_;
};

/// misaki's phonemes of American English as espeak would write them.
[[nodiscard]] std::u32string as_espeak(std::u32string_view phonemes);

}  // namespace penstock::speech
