// speech.phonemes: a text to the ids of its sounds, a sentence at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/preprocess.h"
#include "speech/alphabet.h"
#include "speech/english/pronounce.h"
#include "speech/english/sentences.h"

namespace penstock::speech {

/// How a sentence sounds, "həlˈO ðˈɛɹ.", as misaki writes it.
inline constexpr Note<std::string> kPhonemes{"phonemes"};

/// Input: the request's text, or the note `text`. Output, an item for each
/// sentence: ids i64[L] and speed f32[]; for a voice of Piper's input i64[1,L],
/// input_lengths i64[1], scales f32[3] and the note sample_rate. Notes: `text`,
/// the sentence, and `phonemes`.
class PhonemesOfText final : public Preprocess {
 public:
  struct Params {
    std::string input = "text";
    std::string lexicon;
    std::string accent = "american";
    double speed = 1;
    std::int64_t max_phonemes = 400;
    std::int64_t max_bytes = 1 << 24;
    std::string cache;
  };
  static void declare(Declaration<PhonemesOfText>& d);
  static Ports describe(const Params& params, const std::string& model);
  explicit PhonemesOfText(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  [[nodiscard]] std::string folder(const std::string& model) const;
  [[nodiscard]] Item item_of(const Tokens& ids, double speed) const;

  Params params_;
  std::optional<Alphabet> alphabet_;
  std::optional<Sentences> sentences_;
  std::optional<English> english_;
};

/// Phonemes in pieces of at most `most`, cut behind clauses, else between
/// words, else anywhere.
[[nodiscard]] std::vector<std::u32string_view> pieces_of(
    std::u32string_view phonemes, std::size_t most);

}  // namespace penstock::speech
