// A WordPiece vocabulary and a text for it: the first byte says which of the
// two the rest is, and of which kind.
#include "tests/fuzz/fuzz.h"
#include "text/wordpiece/encoder.h"

namespace {

constexpr const char* kText =
    "a\xC3\xA9 [SEP]\xE4\xB8\xAD##b \xF0\x9F\x8E\x89 x";
constexpr const char* kLines =
    "[UNK]\n[CLS]\n[SEP]\na\n##a\n##b\nab\n##\xCC\x81\n.\n\xE4\xB8\xAD\n";

penstock::text::WordPieceEncoder reader(std::string_view bytes,
                                        const std::string& name) {
  return penstock::text::WordPieceEncoder(
      penstock::text::read_wordpiece(penstock::fuzz::file_of(bytes, name)));
}

}  // namespace

void penstock::fuzz::take(std::string_view bytes) {
  if (bytes.empty()) return;
  const int kind = bytes.front() % 3;
  bytes.remove_prefix(1);
  if (kind == 0) {
    (void)reader(bytes, "tokenizer.json").encode(kText);
  } else if (kind == 1) {
    (void)reader(bytes, "vocab.txt").encode(kText);
  } else {
    static const auto encoder = reader(kLines, "known.txt");
    (void)encoder.encode(bytes);
  }
}
