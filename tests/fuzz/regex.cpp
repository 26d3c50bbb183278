// Regular expressions for answers.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammars.h"

void penstock::fuzz::take(std::string_view bytes) {
  compile_and_walk(grammar::Kind::kRegex, bytes);
}
