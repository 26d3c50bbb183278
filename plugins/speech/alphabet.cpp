#include "speech/alphabet.h"

#include <limits>
#include <system_error>

#include "penstock/error.h"
#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostId = std::numeric_limits<std::int32_t>::max();

/// One of misaki's as espeak has it; empty: the same. lint: long, a table
std::u32string_view espeak_of(char32_t phoneme) {
  switch (phoneme) {
    case U'A':
      return U"eɪ";
    case U'I':
      return U"aɪ";
    case U'O':
      return U"oʊ";
    case U'Q':
      return U"əʊ";
    case U'W':
      return U"aʊ";
    case U'Y':
      return U"ɔɪ";
    case U'T':
      return U"ɾ";
    case U'ʤ':
      return U"dʒ";
    case U'ʧ':
      return U"tʃ";
    case U'ᵊ':
      return U"ə";
    case U'ɑ':
      return U"ɑː";
    case U'ɔ':
      return U"ɔː";
    case U'i':
      return U"iː";
    case U'u':
      return U"uː";
    case U'ɜ':
      return U"ɜː";
    // Pauses that espeak does not write.
    case U'—':
      return U",";
    case U'…':
      return U".";
    default:
      return {};
  }
}

}  // namespace

std::u32string as_espeak(std::u32string_view phonemes) {
  std::u32string out;
  for (std::size_t i = 0; i < phonemes.size(); ++i) {
    const std::u32string_view mapped = espeak_of(phonemes[i]);
    out += mapped.empty() ? phonemes.substr(i, 1) : mapped;
    const bool is_bird = phonemes.substr(i, 2) == U"ɜɹ";  // its r is in the ɜː
    if (is_bird) ++i;
    // British words have their long marks already.
    if (phonemes.substr(i + 1, 1) == U"ː" && out.back() == U'ː') ++i;
  }
  return out;
}

Alphabet Alphabet::beside(const fs::path& model) {
  Alphabet out;
  std::error_code error;
  const fs::path piper = model.string() + ".json";
  const fs::path plain = model.parent_path() / "vocab.json";
  const bool is_piper = fs::exists(piper, error);
  if (!is_piper && !fs::exists(plain, error)) {
    throw Error(Code::kNotFound,
                str("there is no vocab.json beside the model '", model.string(),
                    "', and no '", piper.filename().string(),
                    "': nothing says which ids its phonemes have"));
  }
  const fs::path path = is_piper ? piper : plain;
  const JsonValue json = read_json(path);
  const JsonView view(json, path.string());
  if (is_piper) {
    out.read_piper(view);
  } else {
    out.read_vocabulary(view);
  }
  return out;
}

void Alphabet::read_vocabulary(const JsonView& view) {
  for (const auto& [phoneme, id] : view.members()) {
    const std::u32string text = points_of(phoneme);
    if (text.size() != 1) id.fail("is of a key that is not one character");
    ids_[text[0]] = {id.integer(0, kMostId)};
  }
  first_ = last_ = {0};
}

void Alphabet::read_piper(const JsonView& view) {
  PiperVoice& voice = piper_.emplace();
  voice.sample_rate = view.at("audio").at("sample_rate").integer(8000, 768000);
  if (const auto said = view.find("inference")) {
    voice.noise = said->at("noise_scale").real();
    voice.length = said->at("length_scale").real();
    voice.length_noise = said->at("noise_w").real();
  }
  for (const auto& [phoneme, said] : view.at("phoneme_id_map").members()) {
    const std::u32string text = points_of(phoneme);
    if (text.size() != 1) continue;  // letters of other languages
    for (const JsonView& id : said.items()) {
      ids_[text[0]].push_back(id.integer(0, kMostId));
    }
  }
  const auto known = [&](char32_t mark) {
    const auto found = ids_.find(mark);
    if (found == ids_.end()) {
      view.at("phoneme_id_map").fail(str("has no ", utf8_of({&mark, 1})));
    }
    return found->second;
  };
  between_ = known(U'_');
  first_ = known(U'^');
  first_.insert(first_.end(), between_.begin(), between_.end());
  last_ = known(U'$');
  for (const char32_t mark : {U'_', U'^', U'$'}) ids_.erase(mark);
}

Tokens Alphabet::ids(std::u32string_view phonemes) const {
  Tokens out = first_;
  const std::u32string said =
      piper_ ? as_espeak(phonemes) : std::u32string(phonemes);
  for (const char32_t c : said) {
    const auto found = ids_.find(c);
    if (found == ids_.end()) continue;
    out.insert(out.end(), found->second.begin(), found->second.end());
    out.insert(out.end(), between_.begin(), between_.end());
  }
  if (out.size() == first_.size()) return {};
  out.insert(out.end(), last_.begin(), last_.end());
  return out;
}

}  // namespace penstock::speech
