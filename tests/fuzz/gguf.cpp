// GGUF files: header, metadata, tensors, blocks.
#include "fuzz.h"
#include "weights.h"

void penstock::fuzz::take(std::string_view bytes) {
  read_all(file_of(bytes, "model.gguf"));
}
