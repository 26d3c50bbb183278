// Grammars for answers: Lark behind a first byte L, else EBNF.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammars.h"

void penstock::fuzz::take(std::string_view bytes) {
  const bool is_lark = bytes.starts_with('L');
  compile_and_walk(is_lark ? grammar::Kind::kLark : grammar::Kind::kGrammar,
                   bytes.substr(is_lark ? 1 : 0));
}
