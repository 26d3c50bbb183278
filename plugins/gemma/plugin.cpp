// gemma: the text path of Gemma 3.
#include "penstock/plugin.h"

#include "gemma/detokenize.h"
#include "gemma/forward.h"
#include "gemma/tokenize.h"

PENSTOCK_PLUGIN(gemma, registry) {
  registry.add<penstock::gemma::Tokenize>("tokenize");
  registry.add<penstock::gemma::GemmaForward>("forward");
  registry.add<penstock::gemma::Detokenize>("detokenize");
}
