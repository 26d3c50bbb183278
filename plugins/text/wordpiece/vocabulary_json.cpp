// tokenizer.json, as Hugging Face's tokenizers library writes it for BERT.
#include <algorithm>
#include <optional>

#include "penstock/error.h"
#include "penstock/json.h"
#include "text/wordpiece/vocabulary.h"

namespace penstock::text {
namespace {

constexpr JsonLimits kLimits{
    .bytes = std::size_t{64} << 20U, .depth = 16, .values = 4'000'000};
constexpr std::int64_t kMostWord = 1000;
constexpr std::int64_t kMostTokens = 1 << 20;

std::string word_or(const JsonView& view, const char* key,
                    const std::string& fallback) {
  const auto found = view.find(key);
  return found ? found->text() : fallback;
}

bool flag_or(const JsonView& view, const char* key, bool fallback) {
  const auto found = view.find(key);
  return found ? found->boolean() : fallback;
}

/// `type` has to be that; nothing: the key is not there.
std::optional<JsonView> of_type(const JsonView& view, const char* key,
                                const std::string& type) {
  auto found = view.find(key);
  if (!found) return found;
  const JsonView said = found->at("type");
  if (said.text() != type) {
    said.fail(str("is '", said.text(), "', expected '", type,
                  "': this stage reads tokenizers of BERT's kind"));
  }
  return found;
}

class JsonReader {
 public:
  JsonReader(const JsonView& view, const std::string& file)
      : view_(view),
        model_(view.at("model")),
        maker_(file, word_or(model_, "continuing_subword_prefix", "##")) {}

  WordPieceVocabulary read() {
    (void)of_type(view_, "model", "WordPiece");
    (void)of_type(view_, "pre_tokenizer", "BertPreTokenizer");
    if (!view_.find("pre_tokenizer")) {
      view_.fail("has no pre_tokenizer, expected BertPreTokenizer");
    }
    read_rules();
    read_tokens();
    if (view_.find("added_tokens")) read_added();
    read_around();
    read_lengths();
    return maker_.take();
  }

 private:
  void read_rules();
  void read_tokens();
  void read_added();
  void read_around();
  void read_template(const JsonView& said);
  void read_lengths();
  /// An id that a token has.
  [[nodiscard]] std::int64_t known(const JsonView& id) const;

  const JsonView& view_;
  JsonView model_;
  VocabularyMaker maker_;
};

void JsonReader::read_rules() {
  NormalRules& rules = maker_.made().rules;
  const auto said = of_type(view_, "normalizer", "BertNormalizer");
  if (!said) {
    rules = {.clean = false,
             .space_cjk = false,
             .strip_accents = false,
             .lower = false};
    return;
  }
  rules.clean = flag_or(*said, "clean_text", true);
  rules.space_cjk = flag_or(*said, "handle_chinese_chars", true);
  rules.lower = flag_or(*said, "lowercase", true);
  rules.strip_accents = flag_or(*said, "strip_accents", rules.lower);
}

void JsonReader::read_tokens() {
  const JsonView vocab = model_.at("vocab");
  if (!vocab.is_object()) vocab.fail("is no object");
  for (const auto& [text, value] :
       std::get<JsonValue::Object>(vocab.value().data)) {
    const auto* const id = std::get_if<std::int64_t>(&value.data);
    if (id == nullptr) {
      vocab.fail(str("has a token '", text, "' whose id is no integer"));
    }
    maker_.add(text, *id, str("the token '", text, "'"));
  }
  maker_.sort();
  const std::string unknown = word_or(model_, "unk_token", "[UNK]");
  maker_.made().unknown =
      maker_.id_of(unknown, "which unknown words become (model.unk_token)");
  if (const auto most = model_.find("max_input_chars_per_word")) {
    maker_.made().longest_word = most->integer(1, kMostWord);
  }
}

void JsonReader::read_added() {
  for (const JsonView& token : view_.at("added_tokens").items()) {
    if (flag_or(token, "single_word", false)) {
      token.fail(
          "has single_word: true, which is not supported; set it to false");
    }
    const std::string& text = token.at("content").text();
    const bool is_special = flag_or(token, "special", false);
    maker_.add_whole(text, token.at("id").integer(),
                     flag_or(token, "normalized", !is_special),
                     str("the added token '", text, "'"));
  }
}

std::int64_t JsonReader::known(const JsonView& id) const {
  const auto size = static_cast<std::int64_t>(maker_.made().spellings.size());
  return id.integer(0, size - 1);
}

void JsonReader::read_around() {
  const auto said = view_.find("post_processor");
  if (!said) return;
  const std::string& type = said->at("type").text();
  WordPieceVocabulary& made = maker_.made();
  if (type == "BertProcessing") {
    made.before = {known(said->at("cls").items().at(1))};
    made.after = {known(said->at("sep").items().at(1))};
  } else if (type == "TemplateProcessing") {
    read_template(*said);
  } else {
    said->at("type").fail(str("is '", type,
                              "', expected BertProcessing or "
                              "TemplateProcessing"));
  }
}

/// The pieces around the one sequence of `single`.
void JsonReader::read_template(const JsonView& said) {
  const JsonView single = said.at("single");
  int sequences = 0;
  for (const JsonView& piece : single.items()) {
    const auto special = piece.find("SpecialToken");
    const JsonView what = special ? *special : piece.at("Sequence");
    (void)what.at("type_id").integer(0, 0);
    if (!special) {
      ++sequences;
      continue;
    }
    WordPieceVocabulary& made = maker_.made();
    auto& ids = sequences == 0 ? made.before : made.after;
    const std::string& name = what.at("id").text();
    for (const JsonView& id :
         said.at("special_tokens").at(name).at("ids").items()) {
      ids.push_back(known(id));
    }
  }
  if (sequences != 1) {
    single.fail(str("has ", sequences, " places for a text, expected one"));
  }
}

void JsonReader::read_lengths() {
  WordPieceVocabulary& made = maker_.made();
  if (const auto cut = view_.find("truncation")) {
    made.max_tokens = cut->at("max_length").integer(1, kMostTokens);
  }
  if (const auto padding = view_.find("padding")) {
    made.padding = known(padding->at("pad_id"));
  } else {
    made.padding = std::max<std::int64_t>(0, maker_.find("[PAD]"));
  }
}

}  // namespace

WordPieceVocabulary read_wordpiece_json(const std::filesystem::path& path) {
  const JsonValue json = read_json(path, kLimits);
  const JsonView view(json, path.string());
  return JsonReader(view, path.string()).read();
}

}  // namespace penstock::text
