// tokenizer.json, as Hugging Face's tokenizers library writes it for Gemma.
//
// It lists pairs to merge in their order, sentencepiece gives pieces a score:
// the pair whose whole has the best score is merged first. The two mean the
// same where every way to make a piece of two others is listed and all ways to
// one piece stand together, as they do when the list came from scores. Both
// are checked, so no other tokenizer passes for one of these.
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gemma/piece_list.h"
#include "gemma/vocabulary.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

constexpr JsonLimits kLimits{
    .bytes = std::size_t{128} << 20U, .depth = 16, .values = 4'000'000};
constexpr std::int64_t kMostIds = std::int64_t{1} << 20;

/// Where each piece of the vocabulary stands.
using Ids = std::unordered_map<std::string_view, std::int64_t>;

struct Piece {
  std::string_view text;
  PieceKind kind = PieceKind::kNormal;
  float score = 0;
  int ways = 0;  ///< merges that make it
};

class Reader {
 public:
  explicit Reader(const JsonView& view)
      : view_(view), model_(view.at("model")) {}

  Vocabulary read() {
    check_rules();
    read_pieces();
    read_added();
    read_merges();
    check_complete();
    PieceList list;
    for (const Piece& piece : pieces_) {
      list.add(piece.text, piece.score, piece.kind);
    }
    Vocabulary vocabulary;
    vocabulary.model = list.model();
    const auto bos = ids_.find("<bos>");
    if (bos != ids_.end()) vocabulary.bos = bos->second;
    return vocabulary;
  }

 private:
  void check_rules() const;
  void read_pieces();
  void read_added();
  void add(const JsonView& view, std::string_view text, std::int64_t id);
  void read_merges();
  void add_merge(const JsonView& merges, std::string_view left,
                 std::string_view right);
  void check_complete();
  /// Ways to make the piece of two others.
  [[nodiscard]] int ways(const Piece& piece);
  [[nodiscard]] Piece* find(std::string_view text) {
    const auto found = ids_.find(text);
    return found == ids_.end()
               ? nullptr
               : &pieces_[static_cast<std::size_t>(found->second)];
  }

  const JsonView& view_;
  JsonView model_;
  std::vector<Piece> pieces_;
  Ids ids_;
  std::string whole_;            ///< of the merge being read
  const Piece* last_ = nullptr;  ///< what the merge before it makes
  std::int64_t merged_ = 0;      ///< pieces that merges made so far
};

void Reader::check_rules() const {
  if (const auto type = model_.find("type"); type && type->text() != "BPE") {
    type->fail(str("is '", type->text(), "', expected 'BPE'"));
  }
  const auto fallback = model_.find("byte_fallback");
  if (!fallback || !fallback->boolean()) {
    model_.fail("has no byte_fallback: it is no tokenizer of Gemma's kind");
  }
}

void Reader::add(const JsonView& view, std::string_view text, std::int64_t id) {
  if (id < 0 || id >= kMostIds) {
    view.fail(str("has id ", id, ", expected 0 to ", kMostIds - 1));
  }
  const auto index = static_cast<std::size_t>(id);
  if (index >= pieces_.size()) pieces_.resize(index + 1);
  if (!pieces_[index].text.empty()) {
    view.fail(str("has two tokens with id ", id));
  }
  pieces_[index].text = text;
  ids_.emplace(text, id);
}

void Reader::read_pieces() {
  const JsonView vocab = model_.at("vocab");
  if (!vocab.is_object()) vocab.fail("is no object");
  for (const auto& [text, value] :
       std::get<JsonValue::Object>(vocab.value().data)) {
    const auto* const id = std::get_if<std::int64_t>(&value.data);
    if (id == nullptr || text.empty()) {
      vocab.fail("has an empty token, or one whose id is no integer");
    }
    add(vocab, text, *id);
  }
  for (std::size_t id = 0; id < 256; ++id) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const std::string name{'<', '0', 'x', kHex[id >> 4], kHex[id & 15], '>'};
    Piece* const piece = find(name);
    if (piece == nullptr) vocab.fail(str("has no token '", name, "'"));
    piece->kind = PieceKind::kByte;
  }
}

/// Two or more U+2581.
bool is_run_of_spaces(std::string_view text) {
  constexpr std::string_view kSpace = "\xE2\x96\x81";
  if (text.size() < 2 * kSpace.size()) return false;
  while (text.starts_with(kSpace)) text.remove_prefix(kSpace.size());
  return text.empty();
}

void Reader::read_added() {
  // Sentencepiece takes these whole; some files list them as added, some not.
  for (Piece& piece : pieces_) {
    if (is_run_of_spaces(piece.text)) piece.kind = PieceKind::kUserDefined;
  }
  for (const JsonView& token : view_.at("added_tokens").items()) {
    const std::string& text = token.at("content").text();
    const std::int64_t id = token.at("id").integer();
    Piece* piece = find(text);
    if (piece == nullptr) {
      add(token, text, id);
      piece = find(text);
    }
    if (piece != &pieces_.at(static_cast<std::size_t>(id))) {
      token.fail(str("has id ", id, ", the vocabulary says another"));
    }
    piece->kind = PieceKind::kUserDefined;
  }
  // Only these are control, as in sentencepiece's own file; the words
  // themselves stay text when somebody types them.
  for (const char* name : {"<pad>", "<eos>", "<bos>"}) {
    if (Piece* const piece = find(name)) piece->kind = PieceKind::kControl;
  }
  const auto unknown = model_.find("unk_token");
  Piece* const piece = find(unknown ? unknown->text() : "<unk>");
  if (piece == nullptr) model_.fail("has no unknown token");
  piece->kind = PieceKind::kUnknown;
}

/// "a b" in older files, ["a", "b"] in newer ones.
std::pair<std::string_view, std::string_view> sides(const JsonView& merges,
                                                    const JsonValue& merge) {
  if (const auto* const text = std::get_if<std::string>(&merge.data)) {
    const auto space = text->find(' ');
    if (space != std::string::npos) {
      return {std::string_view(*text).substr(0, space),
              std::string_view(*text).substr(space + 1)};
    }
  }
  if (const auto* const pair = std::get_if<JsonValue::Array>(&merge.data);
      pair != nullptr && pair->size() == 2) {
    const auto* const left = std::get_if<std::string>(&(*pair)[0].data);
    const auto* const right = std::get_if<std::string>(&(*pair)[1].data);
    if (left != nullptr && right != nullptr) return {*left, *right};
  }
  merges.fail("holds something that is no pair of texts");
}

void Reader::read_merges() {
  const JsonView merges = model_.at("merges");
  if (!merges.is_array()) merges.fail("is no list");
  for (const auto& merge : std::get<JsonValue::Array>(merges.value().data)) {
    const auto [left, right] = sides(merges, merge);
    add_merge(merges, left, right);
  }
}

void Reader::add_merge(const JsonView& merges, std::string_view left,
                       std::string_view right) {
  whole_.assign(left).append(right);
  const Piece* const first = find(left);
  const Piece* const second = find(right);
  Piece* const whole = find(whole_);
  if (first == nullptr || second == nullptr || whole == nullptr) {
    merges.fail(str("makes '", whole_, "' of '", left, "' and '", right,
                    "', which are not all in the vocabulary"));
  }
  // Others are matched whole, before anything is merged.
  if (first->kind != PieceKind::kNormal || second->kind != PieceKind::kNormal ||
      whole->kind != PieceKind::kNormal) {
    return;
  }
  if (whole != last_) {
    if (whole->ways > 0) {
      merges.fail(str("makes '", whole_,
                      "' at two places of its order, which "
                      "this version cannot follow"));
    }
    whole->score = static_cast<float>(-merged_++);
    last_ = whole;
  }
  ++whole->ways;
}

int Reader::ways(const Piece& piece) {
  int count = 0;
  for (std::size_t at = 1; at < piece.text.size(); ++at) {
    const bool is_inside =
        (static_cast<unsigned char>(piece.text[at]) & 0xC0U) == 0x80U;
    if (is_inside) continue;
    const Piece* const left = find(piece.text.substr(0, at));
    if (left == nullptr || left->kind != PieceKind::kNormal) continue;
    const Piece* const right = find(piece.text.substr(at));
    if (right != nullptr && right->kind == PieceKind::kNormal) ++count;
  }
  return count;
}

void Reader::check_complete() {
  for (std::size_t id = 0; id < pieces_.size(); ++id) {
    const Piece& piece = pieces_[id];
    if (piece.text.empty()) model_.fail(str("has no token with id ", id));
    if (piece.kind != PieceKind::kNormal || piece.ways == ways(piece)) continue;
    model_.fail(str("has ", piece.ways, " merges for '", piece.text,
                    "', its parts allow ", ways(piece),
                    ": this version cannot follow it"));
  }
}

}  // namespace

Vocabulary read_vocabulary(const std::filesystem::path& json) {
  const JsonValue parsed = read_json(json, kLimits);
  const JsonView view(parsed, json.string());
  return Reader(view).read();
}

}  // namespace penstock::gemma
