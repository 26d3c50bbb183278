// What the fuzz targets share. Bytes of any kind may be refused with an Error
// of few words; whatever else happens is a finding.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace penstock::fuzz {

/// Of each target: reads the bytes as somebody's file or line.
void take(std::string_view bytes);

/// A file with these bytes, in memory; the same path each time for a name.
[[nodiscard]] std::filesystem::path file_of(std::string_view bytes,
                                            const std::string& name);

}  // namespace penstock::fuzz
