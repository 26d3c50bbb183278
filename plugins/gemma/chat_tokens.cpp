#include "gemma/chat_tokens.h"

namespace penstock::gemma {
namespace {

using Words = std::vector<Tokenizer::ControlWord>;

/// The control word that `text` has at `at`, or null.
const Tokenizer::ControlWord* word_at(const Words& words,
                                      const std::string& text, std::size_t at) {
  for (const auto& word : words) {
    if (text.compare(at, word.spelling.size(), word.spelling) == 0) {
      return &word;
    }
  }
  return nullptr;
}

/// Ids of text in which a control word, typed by somebody or put together, is
/// cut after its first letter: no half is one.
void encode_plain(const Tokenizer& tokenizer, const std::string& text,
                  Tokens& out) {
  std::size_t from = 0;
  const auto add = [&](std::size_t to) {
    const Tokens ids = tokenizer.encode(text.substr(from, to - from));
    out.insert(out.end(), ids.begin(), ids.end());
    from = to;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (word_at(tokenizer.control_words(), text, at) != nullptr) add(at + 1);
  }
  add(text.size());
}

bool is_of_template(const jinja::Text& text, std::size_t from,
                    std::size_t count) {
  for (std::size_t i = from; i < from + count; ++i) {
    if (text.is_content(i)) return false;
  }
  return true;
}

}  // namespace

Tokens encode_chat(const Tokenizer& tokenizer, const jinja::Text& text,
                   bool is_begin) {
  Tokens out;
  std::string plain;
  const auto end_plain = [&] {
    if (is_begin && tokenizer.adds_space() && !plain.empty()) {
      plain.insert(0, 1, ' ');
    }
    encode_plain(tokenizer, plain, out);
    plain.clear();
    is_begin = true;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto* word = word_at(tokenizer.control_words(), text.bytes(), at);
    if (word == nullptr || !is_of_template(text, at, word->spelling.size())) {
      plain += text.bytes()[at++];
      continue;
    }
    end_plain();
    out.push_back(word->id);
    at += word->spelling.size();
  }
  end_plain();
  return out;
}

}  // namespace penstock::gemma
