// Media as bytes: the one place where a file that a request names is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/export.h"
#include "penstock/request.h"
#include "penstock/value.h"

namespace penstock {

/// The media input of that name; text is taken as the path of a file. Throws
/// Error(kData) when it is not there or neither.
[[nodiscard]] PENSTOCK_API Media media_input(const Request& request,
                                             const std::string& name);

/// The path that `media.name` means: a file of this machine, or the name of a
/// file that tools/media fetched. Throws Error(kNotFound) where there is none,
/// Error(kData) for a folder, a device, a pipe or a URL.
[[nodiscard]] PENSTOCK_API std::string media_path(const Media& media);

/// Its bytes, at least one and at most `most`: the size is looked at before
/// anything is read. Throws Error.
[[nodiscard]] PENSTOCK_API std::shared_ptr<const std::string> read_media(
    const Media& media, std::int64_t most);

}  // namespace penstock
