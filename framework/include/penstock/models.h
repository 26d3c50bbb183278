// Known models: the list that tools/models fetches from, and where they lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "penstock/export.h"

namespace penstock {

struct KnownModel {
  std::string name, file;
  std::int64_t size = 0;  ///< bytes
  std::string sha256, licence;
};

/// tools/models.json as it was when this library was built.
[[nodiscard]] PENSTOCK_API std::vector<KnownModel> known_models();
/// $PENSTOCK_CACHE, else $XDG_CACHE_HOME/penstock, else ~/.cache/penstock.
[[nodiscard]] PENSTOCK_API std::filesystem::path cache_folder();
/// Where tools/models puts it, whether it is there or not.
[[nodiscard]] PENSTOCK_API std::filesystem::path model_path(
    const KnownModel& model);

}  // namespace penstock
