// tokenizer.model: sentencepiece's protocol buffer.
#include "gemma/tokenizer.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  const auto tokenizer =
      gemma::Tokenizer::open(file_of(bytes, "tokenizer.model"));
  for (const auto id : tokenizer->encode("a  text\n\xE2\x96\x81 <bos>\xF0")) {
    (void)tokenizer->piece(id);
  }
}
