// whisper: speech to text.
#include "penstock/plugin.h"

#include "whisper/decode.h"
#include "whisper/forward.h"
#include "whisper/prompt.h"
#include "whisper/text.h"

PENSTOCK_PLUGIN(whisper, registry) {
  registry.add<penstock::whisper::Prompt>("prompt");
  registry.add<penstock::whisper::WhisperForward>("forward");
  registry.add<penstock::whisper::WhisperDecode>("decode");
  registry.add<penstock::whisper::Text>("text");
}
