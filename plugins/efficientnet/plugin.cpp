// efficientnet: image classifiers made of inverted bottlenecks.
#include "penstock/plugin.h"

#include "efficientnet/forward.h"

PENSTOCK_PLUGIN(efficientnet, registry) {
  registry.add<penstock::efficientnet::EfficientNetForward>("forward");
}
