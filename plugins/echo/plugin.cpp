// echo: a text model of bytes that needs no file.
#include "penstock/plugin.h"

#include "echo/bytes.h"
#include "echo/forward.h"
#include "echo/text.h"

PENSTOCK_PLUGIN(echo, registry) {
  registry.add<penstock::echo::Bytes>("bytes");
  registry.add<penstock::echo::EchoForward>("forward");
  registry.add<penstock::echo::Text>("text");
}
