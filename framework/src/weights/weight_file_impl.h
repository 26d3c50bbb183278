// What a WeightFile holds, whatever the format it was read from.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mapped_file.h"
#include "metadata.h"
#include "nearest.h"
#include "penstock/weights.h"

namespace penstock {

struct WeightFile::Impl {
  explicit Impl(const std::filesystem::path& file) : path(file), bytes(file) {}

  /// The value under `key`, or null.
  [[nodiscard]] const weights::MetadataValue* value(std::string_view key) const;
  /// The value under `key`; `expected` is for the error when there is none.
  [[nodiscard]] const weights::MetadataValue& required(
      std::string_view key, std::string_view expected) const;
  /// Throws Error(kData) about `key`.
  [[noreturn]] void fail(std::string_view key,
                         const std::string& problem) const;

  std::filesystem::path path;
  weights::MappedFile bytes;
  std::string format;
  std::vector<weights::MetadataEntry> metadata;
  std::vector<WeightTensor> tensors;
  weights::Index metadata_by_key;  // into metadata
  weights::Index tensors_by_name;  // into tensors
};

}  // namespace penstock
