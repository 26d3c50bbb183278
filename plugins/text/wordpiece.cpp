#include "text/wordpiece.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "penstock/keys.h"
#include "penstock/tensor_names.h"
#include "penstock/text.h"

namespace penstock::text {
namespace {

namespace fs = std::filesystem;

/// Where neither the pipeline nor the vocabulary says how long a text may be:
/// the positions that BERT was trained with.
constexpr std::int64_t kPositions = 512;

/// By path or beside the model; "": the one that lies there, or nothing.
std::optional<fs::path> vocabulary_path(const std::string& said,
                                        const std::string& model) {
  std::error_code error;
  const fs::path folder = fs::is_directory(model, error)
                              ? fs::path(model)
                              : fs::path(model).parent_path();
  if (!said.empty()) {
    return fs::exists(said, error) ? fs::path(said) : folder / said;
  }
  for (const char* const name : {"tokenizer.json", "vocab.txt"}) {
    if (fs::exists(folder / name, error)) return folder / name;
  }
  return {};
}

}  // namespace

void WordPiece::declare(Declaration<WordPiece>& d) {
  using P = Params;
  d.doc("Text to the token ids of BERT and its kin, by WordPiece")
      .output("input_ids: i64[T]")
      .output("attention_mask: i64[T]")
      .output("token_type_ids: i64[T]")
      .uses(kText)
      .makes(kTruncated, kPieces);
  d.param("vocab", &P::vocab,
          "tokenizer.json or vocab.txt, by path or beside the model; empty: "
          "the one that lies there");
  d.param("input", &P::input, "name of the request's text");
  d.param("letters", &P::letters,
          "lower: without case and accents; keep: as they are; file: as the "
          "vocabulary's file says")
      .choices({"file", "lower", "keep"});
  d.param("max_tokens", &P::max_tokens,
          "longest text in tokens, [CLS] and [SEP] included; 0: as the "
          "vocabulary's file says, else 512")
      .range(0, 1 << 20)
      .per_request();
  d.param("truncate", &P::truncate,
          "end at which a longer text is cut; none: refuse it")
      .choices({"none", "left", "right"})
      .per_request();
  d.param("multiple", &P::multiple,
          "round the tensors' length up to a multiple of this with padding: "
          "engines that compile for each shape then meet few")
      .range(1, 1 << 16);
  d.param("max_bytes", &P::max_bytes,
          "longest text in bytes; a longer one is refused")
      .range(1, 1 << 26);
  d.param("pieces", &P::pieces, "report how each token is spelled").shows();
}

Footprint WordPiece::memory(const StageContext& context) const {
  // A token is there as it is spelled, as a beginning and as a continuation.
  constexpr std::int64_t kTimesFile = 8;
  std::error_code error;
  // Where it is missing open() says so.
  const auto size = fs::file_size(
      vocabulary_path(params_.vocab, context.model).value_or(fs::path()),
      error);
  if (error) return {};
  return {.bytes = static_cast<std::int64_t>(size) * kTimesFile};
}

void WordPiece::open(StageContext& context) {
  const auto path = vocabulary_path(params_.vocab, context.model);
  if (!path) {
    throw Error(Code::kNotFound,
                str("there is no tokenizer.json and no vocab.txt beside the "
                    "model '",
                    context.model, "'; name the file with preprocess.vocab"));
  }
  WordPieceVocabulary vocabulary = read_wordpiece(*path);
  if (params_.letters != "file") {
    NormalRules& rules = vocabulary.rules;
    rules.lower = rules.strip_accents = params_.letters == "lower";
  }
  encoder_ = std::make_shared<const WordPieceEncoder>(std::move(vocabulary));
}

void WordPiece::cut(Tokens& tokens, const Params& chosen, Notes& notes) const {
  const WordPieceVocabulary& vocabulary = encoder_->vocabulary();
  const std::int64_t most = chosen.max_tokens > 0       ? chosen.max_tokens
                            : vocabulary.max_tokens > 0 ? vocabulary.max_tokens
                                                        : kPositions;
  const auto around = static_cast<std::int64_t>(vocabulary.before.size() +
                                                vocabulary.after.size());
  if (most <= around) {
    throw Error(Code::kData, str("max_tokens is ", most, ", but ", around,
                                 " tokens stand around each text"));
  }
  const std::int64_t over =
      static_cast<std::int64_t>(tokens.size()) + around - most;
  if (over <= 0) return;
  if (chosen.truncate == "none") {
    throw Error(Code::kData,
                str("the text has ", most + over, " tokens, the most is ", most,
                    "; shorten it, or set preprocess.truncate to right or "
                    "left"));
  }
  const auto from =
      chosen.truncate == "left" ? tokens.begin() : tokens.end() - over;
  tokens.erase(from, from + over);
  set(notes, kTruncated, over);
}

Tokens WordPiece::tokens_of(const std::string& text, const Params& chosen,
                            Notes& notes) const {
  if (static_cast<std::int64_t>(text.size()) > params_.max_bytes) {
    throw Error(Code::kData,
                str("the text has ", text.size(), " bytes; the most is ",
                    params_.max_bytes, " (max_bytes)"));
  }
  if (const auto at = invalid_utf8(text)) {
    throw Error(Code::kData, str("the text is not UTF-8 at byte ", *at));
  }
  const WordPieceVocabulary& vocabulary = encoder_->vocabulary();
  Tokens tokens = encoder_->encode(text);
  cut(tokens, chosen, notes);
  tokens.insert(tokens.begin(), vocabulary.before.begin(),
                vocabulary.before.end());
  tokens.insert(tokens.end(), vocabulary.after.begin(), vocabulary.after.end());
  if (tokens.empty()) {
    throw Error(Code::kData,
                "the text has no tokens, and the vocabulary puts none around "
                "it: there is nothing for the model");
  }
  return tokens;
}

void WordPiece::add_tensors(Item& item) const {
  const auto size = static_cast<std::int64_t>(item.tokens.size());
  const std::int64_t step = params_.multiple;
  const std::int64_t length = (size + step - 1) / step * step;
  const auto ids =
      at::full({length}, encoder_->vocabulary().padding, at::kLong);
  std::copy(item.tokens.begin(), item.tokens.end(),
            ids.mutable_data_ptr<std::int64_t>());
  const auto mask = at::zeros({length}, at::kLong);
  mask.narrow(0, 0, size).fill_(1);
  item.inputs.emplace_back(tensors::kInputIds, ids);
  item.inputs.emplace_back(tensors::kAttentionMask, mask);
  item.inputs.emplace_back("token_type_ids", at::zeros({length}, at::kLong));
}

void WordPiece::preprocess(const Request& request, Item in,
                           ItemSink& out) const {
  const auto& chosen = params<Params>(*this, request);
  in.tokens = tokens_of(text_of(request, in, params_.input), chosen, in.notes);
  if (chosen.pieces) {
    std::string spelled;
    for (const std::int64_t id : in.tokens) {
      spelled +=
          encoder_->vocabulary().spellings[static_cast<std::size_t>(id)] + '\0';
    }
    set(in.notes, kPieces, std::move(spelled));
  }
  add_tensors(in);
  out.push(std::move(in));
}

}  // namespace penstock::text
