// GGUF files: header, metadata, tensors, blocks.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/weights.h"

void penstock::fuzz::take(std::string_view bytes) {
  read_all(file_of(bytes, "model.gguf"));
}
