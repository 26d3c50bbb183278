#include "vocabulary.h"

#include <sentencepiece_model.pb.h>

#include <array>
#include <string_view>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

using Proto = sentencepiece::ModelProto;
using Piece = Proto::SentencePiece;

// Values of tokenizer.ggml.token_type.
enum TokenType : std::int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

/// The ids that are control pieces whatever the file's types say.
struct Special {
  std::int64_t bos, eos, pad, unknown;

  explicit Special(const WeightFile& file)
      : bos(id(file, "bos", 2)),
        eos(id(file, "eos", 1)),
        pad(id(file, "padding", 0)),
        unknown(id(file, "unknown", 3)) {}

  static std::int64_t id(const WeightFile& file, const char* name,
                         std::int64_t fallback) {
    return file.find_integer(str("tokenizer.ggml.", name, "_token_id"))
        .value_or(fallback);
  }
};

/// Converters mark every added token as control, the unknown piece and the
/// user-defined ones among them. Only the special ids are.
Piece::Type type_of(std::int64_t id, std::int64_t stored,
                    const Special& special) {
  if (id == special.unknown) return Piece::UNKNOWN;
  if (id == special.bos || id == special.eos || id == special.pad) {
    return Piece::CONTROL;
  }
  switch (stored) {
    case kControl:
    case kUserDefined:
      return Piece::USER_DEFINED;
    case kByte:
      return Piece::BYTE;
    case kUnused:
      return Piece::UNUSED;
    default:
      return Piece::NORMAL;
  }
}

/// Runs of spaces are stored literally; sentencepiece matches them escaped.
std::string escaped(std::string_view piece) {
  std::string out;
  for (const char c : piece) {
    if (c == ' ') {
      out += kSpace;
    } else {
      out += c;
    }
  }
  return out;
}

void set_rules(Proto& proto) {
  auto& trainer = *proto.mutable_trainer_spec();
  trainer.set_model_type(sentencepiece::TrainerSpec::BPE);
  trainer.set_byte_fallback(true);
  trainer.set_vocab_size(proto.pieces_size());
  auto& normalizer = *proto.mutable_normalizer_spec();
  normalizer.set_name("identity");
  normalizer.set_add_dummy_prefix(false);
  normalizer.set_remove_extra_whitespaces(false);
  normalizer.set_escape_whitespaces(true);
}

}  // namespace

Vocabulary read_vocabulary(const WeightFile& file) {
  if (!file.has("tokenizer.ggml.tokens")) {
    throw Error(Code::kData, str(file.path().filename().string(),
                                 " has no tokenizer; name a tokenizer.model "
                                 "with `model:` under the tokenize stage"));
  }
  const auto kind = file.text("tokenizer.ggml.model");
  if (kind != "llama") {
    throw Error(Code::kData, str("the tokenizer is a '", kind,
                                 "'; expected 'llama' (sentencepiece)"));
  }
  const auto pieces = file.texts("tokenizer.ggml.tokens");
  const auto scores = file.reals("tokenizer.ggml.scores");
  const auto types = file.integers("tokenizer.ggml.token_type");
  if (scores.size() != pieces.size() || types.size() != pieces.size()) {
    throw Error(Code::kData,
                str("the tokenizer has ", pieces.size(), " tokens, ",
                    scores.size(), " scores and ", types.size(), " types"));
  }
  const Special special(file);
  Proto proto;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    auto& piece = *proto.add_pieces();
    const auto type = type_of(id, types[i], special);
    piece.set_piece(type == Piece::USER_DEFINED ? escaped(pieces[i])
                                                : std::string(pieces[i]));
    piece.set_score(static_cast<float>(scores[i]));
    piece.set_type(type);
  }
  set_rules(proto);
  Vocabulary vocabulary;
  vocabulary.model = proto.SerializeAsString();
  vocabulary.bos = special.bos;
  vocabulary.context_length =
      file.find_integer("gemma3.context_length").value_or(0);
  return vocabulary;
}

}  // namespace penstock::gemma
