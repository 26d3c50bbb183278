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
/// $PENSTOCK_CACHE, else $XDG_CACHE_HOME/penstock, else ~/.cache/penstock; ~ is
/// $HOME, else what the user data base says, else "/".
[[nodiscard]] PENSTOCK_API std::filesystem::path cache_folder();
/// Where tools/models puts it, whether it is there or not.
[[nodiscard]] PENSTOCK_API std::filesystem::path model_path(
    const KnownModel& model);

/// Whether `text` names a model of the Hugging Face cache: hf://org/name.
[[nodiscard]] PENSTOCK_API bool is_hub_model(const std::string& text);
/// Where `hf://org/name[@revision][/file]` lies in the local cache
/// ($HF_HUB_CACHE, $HF_HOME): a snapshot's folder, or a file of it. Nothing is
/// downloaded or written. Throws Error(kNotFound) with the command that
/// downloads it.
[[nodiscard]] PENSTOCK_API std::filesystem::path hub_model_path(
    const std::string& text);

}  // namespace penstock
