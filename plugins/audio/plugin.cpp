// audio: from a file to what a model hears, and from what it says to a file.
#include "penstock/plugin.h"

#include "audio/encode.h"
#include "audio/log_mel.h"
#include "audio/note_frames.h"
#include "audio/notes.h"
#include "audio/save.h"
#include "audio/waveform.h"
#include "audio/windows.h"

PENSTOCK_PLUGIN(audio, registry) {
  registry.add<penstock::audio::Waveform>("waveform");
  registry.add<penstock::audio::LogMel>("log_mel");
  registry.add<penstock::audio::NoteFrames>("note_frames");
  registry.add<penstock::audio::Notes>("notes");
  registry.add<penstock::audio::Save>("save");
  registry.add<penstock::audio::Encode>("encode");
  registry.add<penstock::audio::Windows>("windows");
}
