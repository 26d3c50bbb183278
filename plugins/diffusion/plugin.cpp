// diffusion: noise, and the loop that takes it away.
#include "penstock/plugin.h"

#include "diffusion/denoise.h"
#include "diffusion/noise.h"

PENSTOCK_PLUGIN(diffusion, registry) {
  registry.add<penstock::diffusion::Noise>("noise");
  registry.add<penstock::diffusion::Denoise>("denoise");
}
