#include "gemma/text_stream.h"

#include <utility>

#include "penstock/text.h"

namespace penstock::gemma {

std::string TextStream::add(std::int64_t id) {
  auto piece = tokenizer_->piece(id);
  if (piece.kind == Tokenizer::Kind::kText) {
    return finish() + std::move(piece.text);
  }
  if (piece.kind == Tokenizer::Kind::kNothing) return finish();
  bytes_ += piece.text;
  const std::size_t complete = complete_utf8(bytes_);
  std::string text = replace_invalid_utf8(bytes_.substr(0, complete));
  bytes_.erase(0, complete);
  return text;
}

std::string TextStream::finish() {
  return replace_invalid_utf8(std::exchange(bytes_, {}));
}

}  // namespace penstock::gemma
