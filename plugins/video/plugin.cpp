// video: films in, pictures out.
#include "penstock/plugin.h"

#include "video/frames.h"

PENSTOCK_PLUGIN(video, registry) {
  registry.add<penstock::video::Frames>("frames");
}
