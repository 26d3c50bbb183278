#include "whisper/vocabulary.h"

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::whisper {
namespace {

constexpr std::int64_t kMostTokens = 1 << 20;

/// GPT-2's character for every byte: printable bytes stand for themselves, the
/// others follow from U+0100 on.
std::map<std::uint32_t, char> byte_of_character() {
  std::map<std::uint32_t, char> out;
  std::uint32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool is_printable = (byte >= 0x21 && byte <= 0x7E) ||
                              (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    out[is_printable ? byte : next++] = static_cast<char>(byte);
  }
  return out;
}

/// Bytes of a text, which is well-formed UTF-8 of characters below U+0800.
std::string to_bytes(const std::string& text, const JsonView& at) {
  static const auto bytes = byte_of_character();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto character =
        static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    if (character >= 0xC0 && i + 1 < text.size()) {
      ++i;
      character = ((character & 0x1FU) << 6U) |
                  (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    const auto found = bytes.find(character);
    if (found == bytes.end()) at.fail("is not written byte by byte");
    out += found->second;
  }
  return out;
}

std::vector<std::int64_t> integers(const JsonView& list, std::int64_t most) {
  std::vector<std::int64_t> out;
  for (const JsonView& item : list.items()) {
    out.push_back(item.integer(0, most));
  }
  return out;
}

}  // namespace

Vocabulary::Vocabulary(const std::filesystem::path& folder) {
  const auto tokens = folder / "tokenizer.json";
  read_tokens(tokens);
  name_tokens(tokens);
  // CTranslate2 keeps the settings in one file, transformers in the other.
  const auto generation = folder / "generation_config.json";
  read_settings(std::filesystem::exists(generation) ? generation
                                                    : folder / "config.json");
}

std::optional<std::int64_t> Vocabulary::find(const std::string& word) const {
  const auto found = special_.find(word);
  if (found == special_.end()) return std::nullopt;
  return found->second;
}

void Vocabulary::read_tokens(const std::filesystem::path& path) {
  const JsonValue json = read_json(path);
  const JsonView view(json, path.string());
  const auto put = [&](std::int64_t id, const std::string& bytes) {
    const auto at = static_cast<std::size_t>(id);
    if (at >= bytes_.size()) bytes_.resize(at + 1);
    bytes_[at] = bytes;
  };
  const auto text = view.at("model").at("vocab").members();
  for (const auto& [word, id] : text) {
    if (word.starts_with("<|")) continue;  // special tokens follow below
    put(id.integer(0, kMostTokens), to_bytes(word, id));
  }
  for (const JsonView& token : view.at("added_tokens").items()) {
    const std::int64_t id = token.at("id").integer(0, kMostTokens);
    put(id, "");
    special_[token.at("content").text()] = id;
  }
}

void Vocabulary::name_tokens(const std::filesystem::path& path) {
  const auto need = [&](const char* word, const char* other = nullptr) {
    auto found = find(word);
    if (!found && other != nullptr) found = find(other);
    if (found) return *found;
    throw Error(Code::kData, str(path.string(), ": has no token ", word));
  };
  end = need("<|endoftext|>");
  start = need("<|startoftranscript|>");
  previous = need("<|startofprev|>");
  no_speech = need("<|nocaptions|>", "<|nospeech|>");
  no_timestamps = need("<|notimestamps|>");
  // Files before 2023 do not list the times, which follow in any case.
  first_time = no_timestamps + 1;
  // The text tokens of English models end one earlier.
  is_multilingual = end > 50256;
}

void Vocabulary::read_settings(const std::filesystem::path& path) {
  const JsonValue json = read_json(path);
  const JsonView view(json, path.string());
  const auto list = [&](const char* ours, const char* theirs) {
    const auto found = view.find(theirs);
    return integers(found ? *found : view.at(ours), kMostTokens);
  };
  suppressed = list("suppress_ids", "suppress_tokens");
  suppressed_at_begin = list("suppress_ids_begin", "begin_suppress_tokens");
}

}  // namespace penstock::whisper
