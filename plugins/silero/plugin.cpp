// silero: voice activity, after Silero VAD.
#include "penstock/plugin.h"

#include "silero/decode.h"
#include "silero/forward.h"
#include "silero/gate.h"
#include "silero/listen.h"
#include "silero/segments.h"

PENSTOCK_PLUGIN(silero, registry) {
  registry.add<penstock::silero::Gate>("gate");
  registry.add<penstock::silero::Listen>("listen");
  registry.add<penstock::silero::SileroForward>("forward");
  registry.add<penstock::silero::SileroDecode>("decode");
  registry.add<penstock::silero::Segments>("segments");
}
