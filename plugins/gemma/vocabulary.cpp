#include "gemma/vocabulary.h"

#include "gemma/piece_list.h"
#include "penstock/error.h"

namespace penstock::gemma {
namespace {

// Values of tokenizer.ggml.token_type.
enum TokenType : std::int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

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
PieceKind kind_of(std::int64_t id, std::int64_t stored,
                  const Special& special) {
  if (id == special.unknown) return PieceKind::kUnknown;
  if (id == special.bos || id == special.eos || id == special.pad) {
    return PieceKind::kControl;
  }
  switch (stored) {
    case kControl:
    case kUserDefined:
      return PieceKind::kUserDefined;
    case kByte:
      return PieceKind::kByte;
    case kUnused:
      return PieceKind::kUnused;
    default:
      return PieceKind::kNormal;
  }
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
  PieceList list;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    list.add(pieces[i], static_cast<float>(scores[i]),
             kind_of(static_cast<std::int64_t>(i), types[i], special));
  }
  Vocabulary vocabulary;
  vocabulary.model = list.model();
  vocabulary.bos = special.bos;
  vocabulary.context_length =
      file.find_integer("gemma3.context_length").value_or(0);
  vocabulary.adds_bos =
      file.find_boolean("tokenizer.ggml.add_bos_token").value_or(true);
  vocabulary.adds_space =
      file.find_boolean("tokenizer.ggml.add_space_prefix").value_or(false);
  return vocabulary;
}

}  // namespace penstock::gemma
