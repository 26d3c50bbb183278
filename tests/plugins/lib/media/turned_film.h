// Phone films held sideways, made of an upright one.
#pragma once

#include <string>

namespace penstock::media {

/// The MP4 file of one track, to be shown turned clockwise by 90, 180 or 270
/// degrees: only the matrix in its track header is another. Throws
/// std::runtime_error where there is no track header.
[[nodiscard]] std::string turned_film(std::string bytes, int degrees);

}  // namespace penstock::media
