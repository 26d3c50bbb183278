#include "gemma/piece_list.h"

#include <sentencepiece_model.pb.h>

namespace penstock::gemma {
namespace {

using Proto = sentencepiece::ModelProto;
using Piece = Proto::SentencePiece;

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

Piece::Type type_of(PieceKind kind) {
  switch (kind) {
    case PieceKind::kNormal:
      return Piece::NORMAL;
    case PieceKind::kUnknown:
      return Piece::UNKNOWN;
    case PieceKind::kControl:
      return Piece::CONTROL;
    case PieceKind::kUserDefined:
      return Piece::USER_DEFINED;
    case PieceKind::kUnused:
      return Piece::UNUSED;
    case PieceKind::kByte:
      return Piece::BYTE;
  }
  return Piece::NORMAL;
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

}  // namespace

struct PieceList::Impl {
  Proto proto;
};

PieceList::PieceList() : impl_(std::make_unique<Impl>()) {}
PieceList::~PieceList() = default;

void PieceList::add(std::string_view piece, float score, PieceKind kind) {
  auto& added = *impl_->proto.add_pieces();
  added.set_piece(kind == PieceKind::kUserDefined ? escaped(piece)
                                                  : std::string(piece));
  added.set_score(score);
  added.set_type(type_of(kind));
}

std::string PieceList::model() {
  Proto& proto = impl_->proto;
  auto& trainer = *proto.mutable_trainer_spec();
  trainer.set_model_type(sentencepiece::TrainerSpec::BPE);
  trainer.set_byte_fallback(true);
  trainer.set_vocab_size(proto.pieces_size());
  auto& normalizer = *proto.mutable_normalizer_spec();
  normalizer.set_name("identity");
  normalizer.set_add_dummy_prefix(false);
  normalizer.set_remove_extra_whitespaces(false);
  normalizer.set_escape_whitespaces(true);
  return proto.SerializeAsString();
}

}  // namespace penstock::gemma
