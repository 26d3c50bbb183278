// JSON schemas: checked, lowered, compiled and walked along.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammars.h"

void penstock::fuzz::take(std::string_view bytes) {
  compile_and_walk(grammar::Kind::kSchema, bytes);
}
