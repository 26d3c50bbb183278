// speech: English text to phonemes, and hibari's spectra to sound.
#include "penstock/plugin.h"

#include "speech/phonemes.h"
#include "speech/vocoder.h"

PENSTOCK_PLUGIN(speech, registry) {
  registry.add<penstock::speech::PhonemesOfText>("phonemes");
  registry.add<penstock::speech::Vocoder>("vocoder");
}
