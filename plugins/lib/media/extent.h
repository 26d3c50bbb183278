// Extent: how long a file should be by its own bytes. Most containers write
// the size of what follows before it, so a file that was cut shows it at once.
#pragma once

#include "lib/media/byte_source.h"

namespace penstock::media {

enum class Extent {
  kUnknown,  ///< the format does not say
  kWhole,    ///< all is there, or the size was left open on purpose
  kCut,      ///< bytes are missing at the end
};

/// Of WAV, RF64, AVI, AIFF, Wave64, CAF, AU, Matroska, WebM, MP4 and Ogg.
[[nodiscard]] Extent extent_of(const ByteSource& source);

}  // namespace penstock::media
