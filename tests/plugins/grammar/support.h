// A small vocabulary, and answers that are walked at random.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "grammar/answer.h"
#include "grammar/compiler.h"

namespace penstock::grammar {

inline constexpr std::int64_t kEnd = 0;

/// Id 0 ends an answer; every other byte is a token, and some texts are.
class SmallVocabulary final : public Vocabulary {
 public:
  [[nodiscard]] std::int64_t size() const override {
    return 256 + static_cast<std::int64_t>(texts().size());
  }
  [[nodiscard]] std::string bytes(std::int64_t id) const override {
    if (id == kEnd) return "";
    if (id < 256) return std::string(1, static_cast<char>(id));
    return texts().at(static_cast<std::size_t>(id - 256));
  }
  /// The longest first.
  [[nodiscard]] Tokens encode(std::string_view text) const override {
    Tokens out;
    while (!text.empty()) {
      std::int64_t best = static_cast<unsigned char>(text[0]);
      std::size_t length = 1;
      for (std::size_t i = 0; i < texts().size(); ++i) {
        if (texts()[i].size() <= length || !text.starts_with(texts()[i])) {
          continue;
        }
        best = 256 + static_cast<std::int64_t>(i);
        length = texts()[i].size();
      }
      out.push_back(best);
      text.remove_prefix(length);
    }
    return out;
  }
  [[nodiscard]] std::string text(const Tokens& tokens) const {
    std::string out;
    for (const std::int64_t id : tokens) out += bytes(id);
    return out;
  }

 private:
  static const std::vector<std::string>& texts() {
    static const std::vector<std::string> all{
        "{\"", "\":",      " \"",          "\",",    "name", "na",
        "me",  "true",     "alse",         "12",     "\"}",  "e",
        "an",  "\xC3\xA4", "\xE2\x82\xAC", "\", \"", ", "};
    return all;
  }
};

struct Fixture {
  std::shared_ptr<const SmallVocabulary> vocabulary =
      std::make_shared<const SmallVocabulary>();
  Compiler compiler{vocabulary, {kEnd}};

  [[nodiscard]] Answer answer(Kind kind, const std::string& text,
                              ForcedText forced = {}) const {
    return {compiler.compile({kind, text, false}), vocabulary, forced};
  }
  /// Takes allowed tokens at random until the answer is whole; null: it was not
  /// within `most`.
  [[nodiscard]] std::optional<std::string> walk(Answer& answer, unsigned seed,
                                                std::size_t most) const {
    const auto tokens = walk_tokens(answer, seed, most);
    if (!tokens) return std::nullopt;
    return vocabulary->text(*tokens);
  }
  [[nodiscard]] std::optional<Tokens> walk_tokens(Answer& answer, unsigned seed,
                                                  std::size_t most) const {
    std::mt19937 engine(seed);
    Tokens tokens;
    while (tokens.size() < most) {
      const auto allowed = answer.look(tokens).allowed;
      if (!allowed) throw Error(Code::kInternal, "everything is allowed");
      if (allowed->is_empty()) return tokens;
      const auto& ids = allowed->ids();
      // Ends where it can, now and then.
      if (allowed->contains(kEnd) && engine() % 2 == 0) {
        return tokens;
      }
      const std::int64_t id = ids[engine() % ids.size()];
      if (id != kEnd) tokens.push_back(id);
    }
    return std::nullopt;
  }
};

}  // namespace penstock::grammar
