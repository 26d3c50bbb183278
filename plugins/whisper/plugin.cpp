// whisper: speech to text.
#include "penstock/plugin.h"

#include "decode.h"
#include "forward.h"
#include "prompt.h"
#include "text.h"

PENSTOCK_PLUGIN(whisper, registry) {
  registry.add<penstock::whisper::Prompt>("prompt");
  registry.add<penstock::whisper::WhisperForward>("forward");
  registry.add<penstock::whisper::WhisperDecode>("decode");
  registry.add<penstock::whisper::Text>("text");
}
