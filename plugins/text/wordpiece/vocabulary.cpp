#include "text/wordpiece/vocabulary.h"

#include <utility>

#include "penstock/error.h"

namespace penstock::text {
namespace {

constexpr std::int64_t kMostIds = std::int64_t{1} << 20;

}  // namespace

void VocabularyMaker::fail(const std::string& problem) const {
  throw Error(Code::kData, str(file_, ": ", problem));
}

void VocabularyMaker::spell(const std::string& text, std::int64_t id,
                            const std::string& where) {
  if (id < 0 || id >= kMostIds) {
    fail(str(where, " has id ", id, ", expected 0 to ", kMostIds - 1));
  }
  const auto at = static_cast<std::size_t>(id);
  auto& spellings = made_.spellings;
  if (at >= spellings.size()) spellings.resize(at + 1);
  if (!spellings[at].empty() && spellings[at] != text) {
    fail(
        str(where, " has id ", id, ", which is '", spellings[at], "' already"));
  }
  spellings[at] = text;
}

void VocabularyMaker::add(const std::string& text, std::int64_t id,
                          const std::string& where) {
  spell(text, id, where);
  if (text.empty()) return;  // no text is spelled so
  made_.tokens.add(text, id);
  if (text.size() > prefix_.size() && text.starts_with(prefix_)) {
    made_.continuations.add(text.substr(prefix_.size()), id);
  }
}

void VocabularyMaker::add_whole(const std::string& text, std::int64_t id,
                                bool is_normalized, const std::string& where) {
  if (text.empty()) fail(str(where, " is empty"));
  spell(text, id, where);
  auto& made = made_;
  if (is_normalized) {
    const std::string seen = normalized(text, made.rules);
    if (!seen.empty()) made.whole_normalized.add(seen, id);
  } else {
    made.whole.add(text, id);
  }
}

void VocabularyMaker::sort() {
  if (made_.tokens.is_empty()) fail("it has no tokens");
  const std::string twice = made_.tokens.sort();
  if (!twice.empty()) fail(str("the token '", twice, "' stands there twice"));
  (void)made_.continuations.sort();  // as different as the tokens are
}

std::int64_t VocabularyMaker::id_of(const std::string& text,
                                    const std::string& use) const {
  const std::int64_t id = find(text);
  if (id < 0) fail(str("it has no token '", text, "', ", use));
  return id;
}

WordPieceVocabulary VocabularyMaker::take() {
  for (TokenTable* table : {&made_.whole, &made_.whole_normalized}) {
    const std::string twice = table->sort();
    if (!twice.empty()) {
      fail(str("the added token '", twice, "' stands there twice"));
    }
  }
  return std::move(made_);
}

WordPieceVocabulary read_wordpiece(const std::filesystem::path& path) {
  return path.extension() == ".json" ? read_wordpiece_json(path)
                                     : read_wordpiece_lines(path);
}

}  // namespace penstock::text
