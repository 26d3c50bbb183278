#include "speech/english/tokenize.h"

#include <algorithm>

#include "speech/english/affixes.h"
#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

/// A link or an address of mail is one word.
constexpr const char* kAddress =
    R"(^(?:(?:https?|ftp)://|www\.)\S+$|^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$|)"
    R"(^(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|co|uk|de|fr|info|biz|us|ca|au)"
    R"(|tv|me|ly|ai)(?:/\S*)?$)";

}  // namespace

Tokenizer::Tokenizer(const JsonView& exceptions)
    : address_(kAddress, /*ignores_case=*/true) {
  for (const auto& [text, parts] : exceptions.members()) {
    Texts& out = exceptions_[points_of(text)];
    for (const JsonView& part : parts.items()) {
      out.push_back(points_of(part.text()));
    }
    if (out.empty()) parts.fail("is empty, expected the parts of a word");
  }
}

const Tokenizer::Texts* Tokenizer::exception(std::u32string_view text) const {
  const auto found = exceptions_.find(text);
  return found == exceptions_.end() ? nullptr : &found->second;
}

/// What is left of a chunk once nothing more comes off its ends.
void Tokenizer::add_middle(std::u32string_view text, Texts& out) const {
  if (const Texts* parts = exception(text)) {
    out.insert(out.end(), parts->begin(), parts->end());
    return;
  }
  if (address_.matches(unicode_of(text))) {
    out.emplace_back(text);
    return;
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = infix_size(text, i);
    if (size == 0 || i == 0) {
      i += std::max<std::size_t>(size, 1);
      continue;
    }
    if (i > begin) out.emplace_back(text.substr(begin, i - begin));
    out.emplace_back(text.substr(i, size));
    i += size;
    begin = i;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
}

Tokenizer::Texts Tokenizer::split(std::u32string_view chunk) const {
  if (const Texts* parts = exception(chunk)) return *parts;
  Texts out;
  Texts behind;
  while (!chunk.empty() && exception(chunk) == nullptr) {
    const std::size_t before = prefix_size(chunk);
    const auto without_prefix = chunk.substr(before);
    const auto prefix = chunk.substr(0, before);
    if (before > 0 && exception(without_prefix) != nullptr) {
      out.emplace_back(prefix);
      chunk = without_prefix;
      break;
    }
    const std::size_t after = suffix_size(without_prefix);
    const auto suffix = chunk.substr(chunk.size() - after);
    const auto without_suffix = chunk.substr(0, chunk.size() - after);
    if (after > 0 && exception(without_suffix) != nullptr) {
      behind.emplace_back(suffix);
      chunk = without_suffix;
      break;
    }
    if (before + after == 0) break;
    if (before > 0) out.emplace_back(prefix);
    if (after > 0) behind.emplace_back(suffix);
    chunk = without_prefix.substr(0, without_prefix.size() - after);
  }
  if (!chunk.empty()) add_middle(chunk, out);
  out.insert(out.end(), behind.rbegin(), behind.rend());
  return rejoined(out);
}

/// Pieces that together are listed as one: "Sept" "." is "Sept.".
Tokenizer::Texts Tokenizer::rejoined(const Texts& texts) const {
  if (texts.size() < 2) return texts;
  Texts out;
  for (std::size_t i = 0; i < texts.size();) {
    const Texts* known = nullptr;
    std::size_t size = 3;
    for (; size > 1 && known == nullptr; --size) {
      if (i + size > texts.size()) continue;
      std::u32string text;
      for (std::size_t k = i; k < i + size; ++k) text += texts[k];
      known = exception(text);
      if (known != nullptr) break;
    }
    if (known == nullptr) {
      out.push_back(texts[i++]);
      continue;
    }
    out.insert(out.end(), known->begin(), known->end());
    i += size;
  }
  return out;
}

std::vector<Token> Tokenizer::operator()(std::u32string_view text) const {
  std::vector<Token> out;
  while (true) {
    const auto first = std::find_if_not(text.begin(), text.end(), is_blank);
    text.remove_prefix(static_cast<std::size_t>(first - text.begin()));
    if (text.empty()) return out;
    const auto end = static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    const std::size_t size = std::min(end, kMostWord);
    for (auto& part : split(text.substr(0, size))) {
      out.push_back({.text = std::move(part), .tag = {}});
    }
    text.remove_prefix(size);
    if (!out.empty()) out.back().has_blank = !text.empty();
  }
}

}  // namespace penstock::speech
