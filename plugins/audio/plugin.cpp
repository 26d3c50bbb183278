// audio: from a file to what a model hears.
#include "penstock/plugin.h"

#include "audio/log_mel.h"
#include "audio/save.h"
#include "audio/waveform.h"

PENSTOCK_PLUGIN(audio, registry) {
  registry.add<penstock::audio::Waveform>("waveform");
  registry.add<penstock::audio::LogMel>("log_mel");
  registry.add<penstock::audio::Save>("save");
}
