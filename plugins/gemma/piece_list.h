// A sentencepiece model written from a list of pieces, with Gemma's rules: BPE,
// byte fallback, no normalisation, no space put in front.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace penstock::gemma {

enum class PieceKind {
  kNormal,
  kUnknown,
  kControl,
  kUserDefined,
  kUnused,
  kByte
};

class PieceList {
 public:
  PieceList();
  ~PieceList();
  PieceList(const PieceList&) = delete;
  PieceList& operator=(const PieceList&) = delete;

  /// The next id. Of two pairs, that with the higher score is merged first.
  void add(std::string_view piece, float score, PieceKind kind);
  /// A serialised ModelProto.
  [[nodiscard]] std::string model();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::gemma
