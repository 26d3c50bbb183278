// core: stages that belong to no model.
#include "penstock/plugin.h"

#include "continuous.h"
#include "pad.h"
#include "sample.h"

PENSTOCK_PLUGIN(core, registry) {
  registry.add<penstock::core::Pad>("pad");
  registry.add<penstock::core::Continuous>("continuous");
  registry.add<penstock::core::SampleDecode>("sample");
}
